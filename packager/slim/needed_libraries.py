"""Which libraries an ELF file asks the dynamic loader for."""

from collections.abc import Iterator
from typing import IO


def needed_libraries(file: IO[bytes]) -> Iterator[str]:
    """Yield the DT_NEEDED names of an ELF file; nothing for other files."""
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 -- few distributions ask
    from elftools.elf.dynamic import DynamicSegment  # noqa: PLC0415 -- likewise
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 -- likewise

    try:
        for segment in ELFFile(file).iter_segments():
            if isinstance(segment, DynamicSegment):
                for tag in segment.iter_tags("DT_NEEDED"):
                    yield str(getattr(tag, "needed", ""))
    except ELFError:
        return
