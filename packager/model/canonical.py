"""The canonical zip profile: every header lpack writes, and reading such headers back.

The profile is the subset of PKWARE's APPNOTE 6.3.10 that all readers agree on: methods 0 and 8,
no extra fields, no comments, no data descriptors, no zip64, no gaps, version needed 2.0, made by
unix 2.0, modes 0644 and 0755, one date. Payloads in the store are zips of this profile too, so
that an artifact is a concatenation of their bodies under one central directory.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

LOCAL = struct.Struct("<IHHHHHIIIHH")
CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
END = struct.Struct("<IHHHHIIH")
LOCAL_MAGIC = 0x04034B50
CENTRAL_MAGIC = 0x02014B50
END_MAGIC = 0x06054B50

MAXIMUM_ENTRIES = 65_534
MAXIMUM_BYTES = 0xFFFF_FFFE

STORED = 0
DEFLATED = 8

_VERSION_NEEDED = 20
_MADE_BY_UNIX = 0x0314
_UTF8_FLAG = 0x0800
_FILE_MODE = 0o100644 << 16
_EXECUTABLE_MODE = 0o100755 << 16

# MS-DOS date in the high half, time in the low half: 1980-01-01 00:00:00.
EPOCH_STAMP = (1 << 5 | 1) << 16


class Record(NamedTuple):
    """One file of a canonical zip; `offset` is where its local header begins, in bytes."""

    name: bytes
    method: int
    crc32: int
    compressed_bytes: int
    uncompressed_bytes: int
    executable: bool
    offset: int

    @property
    def contribution_bytes(self) -> int:
        """All bytes this file adds to an artifact: both headers, the name twice, the stream."""
        return LOCAL.size + CENTRAL.size + 2 * len(self.name) + self.compressed_bytes

    @property
    def mode(self) -> int:
        """Permission bits: 0644 or 0755."""
        return 0o755 if self.executable else 0o644


class NotCanonicalError(ValueError):
    """A file that should be of the canonical profile is not: a damaged store or artifact."""


def stamp_of(epoch_seconds: int) -> int:
    """Return the MS-DOS date and time of `epoch_seconds` (UTC), clamped to 1980 to 2107.

    SOURCE_DATE_EPOCH (reproducible-builds.org) is read as UTC so that no time zone matters.
    """
    import time  # noqa: PLC0415 -- only builds with SOURCE_DATE_EPOCH need the calendar

    clamped = min(max(epoch_seconds, 315_532_800), 4_354_819_198)
    year, month, day, hour, minute, second = time.gmtime(clamped)[:6]
    date = (year - 1980) << 9 | month << 5 | day
    return date << 16 | hour << 11 | minute << 5 | second // 2


def local_header(record: Record, stamp: int) -> bytes:
    """Return the local file header of `record` with its name."""
    fixed = LOCAL.pack(
        LOCAL_MAGIC,
        _VERSION_NEEDED,
        0 if record.name.isascii() else _UTF8_FLAG,
        record.method,
        stamp & 0xFFFF,
        stamp >> 16,
        record.crc32,
        record.compressed_bytes,
        record.uncompressed_bytes,
        len(record.name),
        0,
    )
    return fixed + record.name


def central_record(record: Record, stamp: int) -> bytes:
    """Return the central directory record of `record`."""
    fixed = CENTRAL.pack(
        CENTRAL_MAGIC,
        _MADE_BY_UNIX,
        _VERSION_NEEDED,
        0 if record.name.isascii() else _UTF8_FLAG,
        record.method,
        stamp & 0xFFFF,
        stamp >> 16,
        record.crc32,
        record.compressed_bytes,
        record.uncompressed_bytes,
        len(record.name),
        0,
        0,
        0,
        0,
        _EXECUTABLE_MODE if record.executable else _FILE_MODE,
        record.offset,
    )
    return fixed + record.name


def end_record(*, entries: int, directory_bytes: int, directory_offset: int) -> bytes:
    """Return the end of central directory record."""
    return END.pack(END_MAGIC, 0, 0, entries, entries, directory_bytes, directory_offset, 0)


def read_end_record(tail: bytes, file_bytes: int) -> tuple[int, int, int]:
    """Read the end record at the very end of a canonical zip of `file_bytes` bytes.

    Returns (entries, directory bytes, directory offset); raises NotCanonicalError otherwise.
    """
    if len(tail) < END.size:
        raise NotCanonicalError("too short to be a zip")
    magic, disk, start_disk, here, entries, size, offset, comment = END.unpack(tail[-END.size :])
    if magic != END_MAGIC or disk or start_disk or comment or here != entries:
        raise NotCanonicalError("no canonical end of central directory record")
    if offset + size + END.size != file_bytes:
        raise NotCanonicalError("the central directory does not end where the file does")
    return entries, size, offset


def read_directory(directory: bytes, *, entries: int) -> Iterator[tuple[Record, int]]:
    """Yield every record of a canonical central directory with its MS-DOS stamp.

    Raises NotCanonicalError for anything outside the profile.
    """
    position = 0
    unpack_from = CENTRAL.unpack_from
    header_bytes = CENTRAL.size
    try:
        for _ in range(entries):
            (
                magic, made_by, needed, flags, method, time, date, crc, compressed, uncompressed,
                name_bytes, extra, comment, disk, internal, attributes, offset,
            ) = unpack_from(directory, position)  # fmt: skip
            position += header_bytes
            name = directory[position : position + name_bytes]
            position += name_bytes
            if (
                magic != CENTRAL_MAGIC
                or extra
                or comment
                or disk
                or internal
                or made_by != _MADE_BY_UNIX
                or needed != _VERSION_NEEDED
                or flags != (0 if name.isascii() else _UTF8_FLAG)
                or method not in (STORED, DEFLATED)
                or attributes not in (_FILE_MODE, _EXECUTABLE_MODE)
                or len(name) != name_bytes
            ):
                raise NotCanonicalError(f"record of {name!r} is outside the canonical profile")
            executable = attributes == _EXECUTABLE_MODE
            yield (
                Record(name, method, crc, compressed, uncompressed, executable, offset),
                date << 16 | time,
            )
    except struct.error as error:
        raise NotCanonicalError("the central directory is cut") from error
    if position != len(directory):
        raise NotCanonicalError("the central directory has bytes after its last record")
