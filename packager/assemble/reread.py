"""Read a written zip's headers back and hold them against what was meant."""

import mmap
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from packager.errors import CannotBuild
from packager.model.artifact import Contents
from packager.model.canonical import (
    END,
    NotCanonicalError,
    Record,
    central_record,
    local_header,
    read_directory,
    read_end_record,
)

_SEEN_BYTES = 4 * 1024 * 1024


def check_headers(
    path: Path,
    expected: Sequence[Record],
    *,
    stamp: int,
    shown: Path | None = None,
    directory: bytes | None = None,
    before: tuple[int, int] = (0, 0),
) -> None:
    """Compare every name, size, checksum, mode, date, offset and the order with `expected`.

    Local headers are compared with the central directory, and the streams must follow each
    other without a gap. `shown` is the name for people while the file has a temporary one;
    `directory` is the central directory when the caller made it already. `before` are the files
    and bytes in front of those in `expected`, whose digest was compared; they are in `directory`.
    Raises CannotBuild, naming the first difference; `lpack verify` checks the streams.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if directory is None:
                directory = b"".join([central_record(record, stamp) for record in expected])
            difference = _first_difference(data, expected, stamp, directory, before)
    except (OSError, ValueError) as error:
        difference = str(error)
    if difference is not None:
        raise CannotBuild(
            f"`{shown or path}` reads back differently from what was written: {difference}",
            hint="build again; when it happens twice, check the disk",
        )


def read_contents(path: Path, owners: Sequence[tuple[str, int]]) -> tuple[Contents, ...]:
    """Return the files of a canonical zip, which in its order belong to `owners`, (name, files).

    Raises NotCanonicalError or OSError for a file that is another than the one written.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - END.size, 0))
        entries, directory_bytes, offset = read_end_record(file.read(), size)
        file.seek(offset)
        directory = file.read(directory_bytes)
    records = [record for record, _ in read_directory(directory, entries=entries)]
    if entries != sum(count for _, count in owners):
        raise NotCanonicalError(f"{entries} files are not those of its owners")
    contents = []
    for owner, count in owners:
        contents.append(Contents(owner=owner, records=tuple(records[:count])))
        del records[:count]
    return tuple(contents)


def _first_difference(
    data: mmap.mmap,
    expected: Sequence[Record],
    stamp: int,
    directory: bytes,
    before: tuple[int, int],
) -> str | None:
    entries, size, offset = read_end_record(data[-END.size :], len(data))
    wanted, position = before[0] + len(expected), before[1]
    if entries != wanted:
        return f"{entries} files instead of {wanted}"
    found = data[offset : offset + size]
    if found != directory:
        return _difference_of(found, directory, entries)
    seen = position
    for record in expected:
        if position - seen > _SEEN_BYTES:
            seen = position
            _let_go(data)
        header = local_header(record, stamp)
        end = position + len(header)
        if record.offset != position or data[position:end] != header:
            return f"the local header of {record.name!r} is wrong"
        position = end + record.compressed_bytes
    return None if position == offset else "there is a gap before the central directory"


def _let_go(data: mmap.mmap) -> None:
    """Give back the memory of what was read: headers lie all over a file."""
    if sys.platform == "linux":
        data.madvise(mmap.MADV_DONTNEED)


def _difference_of(directory: bytes, meant: bytes, entries: int) -> str:
    records = read_directory(directory, entries=entries)
    for found, wanted in zip(records, read_directory(meant, entries=entries), strict=True):
        if found != wanted:
            return f"the central directory has {found} instead of {wanted}"
    return "the central directory differs"
