"""Files of equal bytes at several places. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from packager.inspect.codes import advise
from packager.inspect.zip_directory import printable
from packager.model.advice import Advice
from packager.model.found import FoundFile

_SMALLEST_BYTES = 4096
"""Below a page, a second copy costs less than telling of it; licences repeat everywhere."""
_MOST_GROUPS = 10


def find_duplicates(files: Iterable[FoundFile], owners: Mapping[str, str]) -> Iterator[Advice]:
    """Yield one finding for all copies: what the second and later ones take."""
    groups: dict[tuple[int, int], list[FoundFile]] = {}
    for file in files:
        if file.crc32 is not None and file.uncompressed_bytes >= _SMALLEST_BYTES:
            groups.setdefault((file.crc32, file.uncompressed_bytes), []).append(file)
    copies = [group for group in groups.values() if len({file.path for file in group}) > 1]
    if not copies:
        return
    copies.sort(key=lambda group: -sum(file.uncompressed_bytes for file in group[1:]))
    spare = [file for group in copies for file in group[1:]]
    details = []
    for group in copies[:_MOST_GROUPS]:
        names = ", ".join(f"`{printable(file.path)}`" for file in group[:3])
        more = f" and {len(group) - 3} more" if len(group) > 3 else ""
        details.append(f"{names}{more}: {group[0].uncompressed_bytes:,} bytes each")
    first = copies[0][0]
    yield advise(
        "duplicate-files",
        f"{len(spare):,} files are copies of others, the largest of `{printable(first.path)}`",
        path=first.path,
        owner=owners.get(first.path, ""),
        details=tuple(details),
        paths=tuple(file.path for file in spare),
        compressed_bytes=sum(file.contribution_bytes for file in spare),
        uncompressed_bytes=sum(file.uncompressed_bytes for file in spare),
    )
