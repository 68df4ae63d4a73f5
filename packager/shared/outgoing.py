"""A value on its way to the shared store, which tells how far it is."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO


class Outgoing(io.RawIOBase):
    """Reads `source`, which is `count` bytes long, and calls `heard` for what was read."""

    def __init__(self, source: BinaryIO, count: int, heard: Callable[[int], None]) -> None:
        """Begin where `source` stands."""
        self._source = source
        self._count = count
        self._heard = heard

    def __len__(self) -> int:
        """Return the whole length in bytes, which `requests` announces."""
        return self._count

    def readable(self) -> bool:
        """Tell that it can be read from."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read again."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Stand elsewhere, as after a failed try."""
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        """Return where it stands."""
        return self._source.tell()

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 -- any writable buffer
        """Fill `buffer`, as io wants it."""
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        self._heard(len(data))
        return len(data)
