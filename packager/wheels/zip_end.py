"""Finds where a zip's central directory lies: end record, comment, zip64 end record and locator.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
"""

import os
import struct
from typing import NamedTuple

SENTINEL_32 = 0xFFFFFFFF
"""Stands for a value that is in the zip64 record."""
_SENTINEL_16 = 0xFFFF

_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_TAIL_BYTES = _END.size + 2 * 65_536


class MalformedZip(Exception):  # noqa: N818 -- named as what the file is
    """The archive is not one that all readers agree on; the text is the reason."""


class End(NamedTuple):
    """Where the central directory lies. `end` is the offset of the first end record."""

    member_count: int
    directory_bytes: int
    directory_offset: int
    end: int
    trailing_nul_bytes: int


def read_exactly(descriptor: int, count: int, offset: int) -> bytes:
    """Read `count` bytes at `offset`.

    Raises:
        MalformedZip: the file ends before.

    """
    data = os.pread(descriptor, count, offset)
    if len(data) != count:
        raise MalformedZip("the file ends too early")
    return data


def read_end(descriptor: int, file_bytes: int) -> End:
    """Find the end record and, where a locator stands before it, the zip64 end record.

    NUL bytes may follow the end record (some indexes pad files with them). A comment may as
    well, as long as no other end record is near that another reader could take instead.

    Raises:
        MalformedZip: there is none, or readers could disagree about which one counts.

    """
    tail_bytes = min(file_bytes, _TAIL_BYTES)
    tail = read_exactly(descriptor, tail_bytes, file_bytes - tail_bytes)
    position = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
    if position < 0:
        raise MalformedZip("it is not a zip file, or it is cut off")
    fields = _END.unpack_from(tail, position)
    comment_bytes = fields[7]
    behind = tail[position + _END.size :]
    if len(behind) < comment_bytes:
        raise MalformedZip("the comment at its end is cut off")
    if behind[comment_bytes:].strip(b"\0"):
        raise MalformedZip("bytes follow its end record")
    if behind and tail.find(b"PK\x05\x06", 0, position) >= 0:
        raise MalformedZip("it has a second end record, and a comment or bytes after the last one")
    if fields[1] or fields[2] or fields[3] != fields[4]:
        raise MalformedZip("it is one of several volumes")
    end = End(
        member_count=fields[4],
        directory_bytes=fields[5],
        directory_offset=fields[6],
        end=file_bytes - tail_bytes + position,
        trailing_nul_bytes=len(behind) - comment_bytes,
    )
    return _resolve_end64(descriptor, end)


def _resolve_end64(descriptor: int, end: End) -> End:
    """Follow the zip64 locator when there is one, sentinels or not: zipfile does."""
    at = end.end - _LOCATOR64.size
    found = read_exactly(descriptor, _LOCATOR64.size, at) if at >= 0 else b""
    sentinel = end.member_count == _SENTINEL_16 or SENTINEL_32 in {
        end.directory_bytes,
        end.directory_offset,
    }
    if not found.startswith(b"PK\x06\x07"):
        if sentinel:
            raise MalformedZip("its end record points to zip64 records that are not there")
        return end
    _, disk, offset, disks = _LOCATOR64.unpack(found)
    if disk or disks != 1 or offset + _END64.size != at:
        raise MalformedZip("its zip64 locator does not point at the record before it")
    signature, length, _, _, disk, start_disk, here, count, directory_bytes, directory_offset = (
        _END64.unpack(read_exactly(descriptor, _END64.size, offset))
    )
    if signature != b"PK\x06\x06" or length != _END64.size - 12 or disk or start_disk:
        raise MalformedZip("its zip64 end record is malformed")
    agree = (
        here == count
        and end.member_count in {count, _SENTINEL_16}
        and end.directory_bytes in {directory_bytes, SENTINEL_32}
        and end.directory_offset in {directory_offset, SENTINEL_32}
    )
    if not agree:
        raise MalformedZip("its zip64 end record contradicts its end record")
    return end._replace(
        member_count=count,
        directory_bytes=directory_bytes,
        directory_offset=directory_offset,
        end=offset,
    )
