"""Reads the central directory of any zip: all names and sizes, without inflating anything.

More lenient than the reader of wheels, because other tools' zips have comments, gaps and programs
in front, and the question is only what is in them. What would make the figures wrong or reading
dangerous is refused: directories that lie, members that overlap, names that lead out.
Source: PKWARE APPNOTE.TXT 6.3.10.
"""

import datetime as dt
import os
import struct
from functools import lru_cache
from typing import NamedTuple, NoReturn

from packager.errors import UsageError
from packager.model.canonical import CENTRAL, CENTRAL_MAGIC, END, LOCAL

MAX_MEMBERS = 1_000_000
MAX_DIRECTORY_BYTES = 128 << 20
"""More than any real artifact has: Lambda's largest zips have some ten thousand members."""

_END_MAGIC = b"PK\x05\x06"
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_SENTINEL = 0xFFFF_FFFF
_EXTRA_ZIP64 = 1
_UTF8_FLAG = 0x0800
_UNIX = 3
_LONGEST_PATH_BYTES = 4_086


class Member(NamedTuple):
    """One record of the directory; `extent_bytes` is all it occupies, its directory record too."""

    name: str
    flags: int
    method: int
    crc32: int
    compressed_bytes: int
    uncompressed_bytes: int
    mode: int
    stamp: int
    offset: int
    record_bytes: int


class Directory(NamedTuple):
    """The members in the directory's order, where the directory begins, and bytes in front."""

    members: tuple[Member, ...]
    offset: int
    prefix_bytes: int


def read_directory(descriptor: int, title: str) -> Directory:
    """Read the directory of the zip open as `descriptor`; `title` names it in errors.

    Raises UsageError for what is no zip, and for one whose directory cannot be true.
    """
    file_bytes = os.fstat(descriptor).st_size
    count, size, offset, at = _find_end(descriptor, file_bytes, title)
    if not count:
        refuse(title, "there is no file in it")
    if count > MAX_MEMBERS or size > MAX_DIRECTORY_BYTES or count * CENTRAL.size > size:
        refuse(title, f"its end record states {count:,} files in a directory of {size:,} bytes")
    start = at - size
    prefix = start - offset
    if start < 0 or prefix < 0:
        refuse(title, "its central directory is not where its end record says")
    data = os.pread(descriptor, size, start)
    members = tuple(_members(data, count, prefix, title))
    _check_extents(members, start, title)
    return Directory(members, start, prefix)


def refuse(title: str, reason: str) -> NoReturn:
    """Raise the one line that a zip which cannot be trusted ends in."""
    raise UsageError(
        f"`{title}` is refused: {reason}",
        hint=f"unzip -t {title}",
    )


def _find_end(descriptor: int, file_bytes: int, title: str) -> tuple[int, int, int, int]:
    """Return (members, directory bytes, stated offset, where the directory must end)."""
    tail_bytes = min(file_bytes, END.size + 0xFFFF)
    tail = os.pread(descriptor, tail_bytes, file_bytes - tail_bytes)
    position = tail.rfind(_END_MAGIC)
    if position < 0 or position + END.size > len(tail):
        raise UsageError(
            f"`{title}` is not a zip, or it is cut off",
            hint="give a zip, a layer's zip, an image layout, a wheel or a folder",
        )
    _, disk, _, here, count, size, offset, _ = END.unpack_from(tail, position)
    at = file_bytes - tail_bytes + position
    if disk or here != count:
        refuse(title, "it is one of several volumes")
    locator = os.pread(descriptor, _LOCATOR64.size, max(0, at - _LOCATOR64.size))
    if locator.startswith(b"PK\x06\x07"):
        return _end64(descriptor, locator, at - _LOCATOR64.size, title)
    return count, size, offset, at


def _end64(descriptor: int, locator: bytes, at: int, title: str) -> tuple[int, int, int, int]:
    _, _, stated, _ = _LOCATOR64.unpack(locator)
    # A program in front of the zip moves everything: then the record lies right before.
    for place in dict.fromkeys((stated, at - _END64.size)):
        record = os.pread(descriptor, _END64.size, place) if 0 <= place < at else b""
        if len(record) == _END64.size and record.startswith(b"PK\x06\x06"):
            _, _, _, _, _, _, _, count, size, offset = _END64.unpack(record)
            return count, size, offset, place
    return refuse(title, "its zip64 end record is not there")


def _members(data: bytes, count: int, prefix: int, title: str) -> list[Member]:
    found: list[Member] = []
    position = 0
    unpack_from, header_bytes = CENTRAL.unpack_from, CENTRAL.size
    for _ in range(count):
        if position + header_bytes > len(data):
            refuse(title, "its central directory has fewer files than it states")
        (
            magic, made_by, _, flags, method, time, date, crc, compressed, uncompressed,
            name_bytes, extra_bytes, comment_bytes, _, _, attributes, offset,
        ) = unpack_from(data, position)  # fmt: skip
        begin = position + header_bytes
        end = begin + name_bytes + extra_bytes + comment_bytes
        if magic != CENTRAL_MAGIC or end > len(data):
            refuse(title, "its central directory is malformed")
        name = _name(data[begin : begin + name_bytes], flags, title)
        if _SENTINEL in (compressed, uncompressed, offset):
            extra = data[begin + name_bytes : begin + name_bytes + extra_bytes]
            uncompressed, compressed, offset = _zip64((uncompressed, compressed, offset), extra)
        mode = attributes >> 16 if made_by >> 8 == _UNIX else 0
        sizes = (crc, compressed, uncompressed)
        record_bytes = end - position
        stamp = date << 16 | time
        found.append(
            Member(name, flags, method, *sizes, mode, stamp, offset + prefix, record_bytes)
        )
        position = end
    return found


def _name(raw: bytes, flags: int, title: str) -> str:
    """Decode a name; tools on Linux write UTF-8 without the flag that says so."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = raw.decode("cp437") if not flags & _UTF8_FLAG else raw.decode("utf-8", "replace")
    name = name.removeprefix("./")
    if len(raw) > _LONGEST_PATH_BYTES:
        refuse(title, f"the name `{printable(name[:60])}…` is longer than any path")
    if name.startswith("/") or "\0" in name or "\\" in name or ".." in name.split("/"):
        refuse(title, f"the name `{printable(name)}` leads out of the folder")
    return name


@lru_cache(maxsize=4096)
def seconds_of(stamp: int) -> int | None:
    """Return an MS-DOS date and time as seconds since 1970, read as UTC; None for no date.

    The format has no time zone and counts in steps of two seconds.
    """
    date, time = stamp >> 16, stamp & 0xFFFF
    try:
        day = dt.date(1980 + (date >> 9), date >> 5 & 0xF, date & 0x1F)
    except ValueError:
        return None
    days = day.toordinal() - dt.date(1970, 1, 1).toordinal()
    return days * 86_400 + (time >> 11) * 3_600 + (time >> 5 & 0x3F) * 60 + 2 * (time & 0x1F)


def printable(text: str) -> str:
    """Return `text` without characters that act on a terminal or hide what they are."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def _zip64(values: tuple[int, int, int], extra: bytes) -> tuple[int, int, int]:
    """Take the values that do not fit 32 bits from the zip64 record, as far as it has them."""
    position = 0
    while position + 4 <= len(extra):
        identifier, length = struct.unpack_from("<HH", extra, position)
        if identifier == _EXTRA_ZIP64:
            wide = extra[position + 4 : position + 4 + length]
            large = list(struct.unpack_from(f"<{len(wide) // 8}Q", wide))
            first, second, third = (
                large.pop(0) if value == _SENTINEL and large else value for value in values
            )
            return first, second, third
        position += 4 + length
    return values


def _check_extents(members: tuple[Member, ...], directory_offset: int, title: str) -> None:
    """Refuse members that share bytes: their sizes would count what is there once many times."""
    ordered = sorted(members, key=lambda member: member.offset)
    for member, after in zip(ordered, [*ordered[1:], None], strict=True):
        end = after.offset if after is not None else directory_offset
        if member.offset + LOCAL.size + member.compressed_bytes > end:
            refuse(title, f"`{printable(member.name)}` overlaps what follows it")
