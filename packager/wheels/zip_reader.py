"""A strict reader of zip directories: what it accepts, every other reader sees in the same way.

`zipfile` is too lenient for splicing: it follows the central directory only, accepts prefixes,
gaps, overlaps and twins, and other readers of the same file see other contents (threats §0.1).
Here the end records, the central directory and (in `zip_members`) the local headers must tell
one story, and the members must tile the file. Source: PKWARE APPNOTE.TXT 6.3.10.
"""

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from packager.wheels.names import find_fault, show
from packager.wheels.zip_end import SENTINEL_32, MalformedZip, read_end, read_exactly

MAX_MEMBERS = 65_534
"""What fits an archive without zip64, as AWS Lambda artifacts are written."""
MAX_DIRECTORY_BYTES = 32 * 2**20
MAX_TOTAL_BYTES = 2 * 2**30
"""Limit on the sum of the uncompressed sizes: eight times what Lambda accepts."""
RATIO_FREE_BYTES = 64 * 2**20
MAX_RATIO = 200
"""Above RATIO_FREE_BYTES a wheel may not unpack to more than this many times its size."""

STORED = 0
DEFLATED = 8
FLAG_DESCRIPTOR = 0x0008
_FLAG_UTF8 = 0x0800
_FLAGS_ENCRYPTED = 0x2041
_FLAGS_ALLOWED = 0x0006 | FLAG_DESCRIPTOR | _FLAG_UTF8

EXTRA_ZIP64 = 0x0001
_EXTRA_UNICODE_PATH = 0x7075

_CENTRAL = struct.Struct("<4s6H3I5H2I")
LOCAL_HEADER_BYTES = 30

_MAX_VERSION = 63
"""The highest "version needed to extract" that APPNOTE 4.4.3 defines."""

_METHODS = {
    1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstandard", 95: "xz",
    99: "AES",
}  # fmt: skip


class Entry(NamedTuple):
    """One record of the central directory.

    `name` of a directory ends in a slash. `raw_name` is the name's bytes in the file. Between
    `header_offset` and `header_offset + extent_bytes` lies everything of this member: local
    header, stream and data descriptor.
    """

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc32: int
    compressed_bytes: int
    uncompressed_bytes: int
    executable: bool
    header_offset: int
    extent_bytes: int

    @property
    def is_directory(self) -> bool:
        """Whether this is a directory's own entry."""
        return self.name.endswith("/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """The directory of an archive: entries ordered by offset, and what lies behind its end."""

    entries: tuple[Entry, ...]
    trailing_nul_bytes: int


def read_archive(descriptor: int) -> Archive:
    """Read the directory of the zip file open as `descriptor`; the file position stays.

    Only end records and the central directory are read; the sizes they state are held against
    the limits first.

    Raises:
        MalformedZip: the reason in words.

    """
    file_bytes = os.fstat(descriptor).st_size
    end = read_end(descriptor, file_bytes)
    if end.member_count > MAX_MEMBERS:
        raise MalformedZip(f"it has {end.member_count} members, more than {MAX_MEMBERS}")
    if end.directory_bytes > MAX_DIRECTORY_BYTES:
        raise MalformedZip(f"its directory is larger than {MAX_DIRECTORY_BYTES} bytes")
    if end.directory_offset + end.directory_bytes != end.end:
        raise MalformedZip("its central directory does not end where the end record begins")
    directory = read_exactly(descriptor, end.directory_bytes, end.directory_offset)
    entries = sorted(_parse_directory(directory, end.member_count), key=lambda e: e.header_offset)
    _check_limits(entries, file_bytes)
    return Archive(
        entries=tuple(_tile(entries, end.directory_offset)),
        trailing_nul_bytes=end.trailing_nul_bytes,
    )


def parse_extras(extra: bytes, name: str) -> dict[int, bytes]:
    """Split an extra field into its records by identifier.

    Raises:
        MalformedZip: a record reaches over the end, or one that changes the meaning of the
            entry (zip64, Unicode path) is there twice.

    """
    records: dict[int, bytes] = {}
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise MalformedZip(f"the extra field of {show(name)} is cut off")
        identifier, length = struct.unpack_from("<HH", extra, position)
        position += 4 + length
        if position > len(extra):
            raise MalformedZip(f"the extra field of {show(name)} is cut off")
        if identifier in records and identifier in {EXTRA_ZIP64, _EXTRA_UNICODE_PATH}:
            raise MalformedZip(f"{show(name)} has the extra record 0x{identifier:04x} twice")
        records[identifier] = extra[position - length : position]
    return records


def resolve_zip64(values: tuple[int, ...], extra: bytes | None, name: str) -> tuple[int, ...]:
    """Replace each value that is 0xFFFFFFFF by the next one of the zip64 record, in order.

    The record must hold exactly as many as are needed: readers differ on all other shapes.

    Raises:
        MalformedZip: it holds more or fewer.

    """
    wanted = [index for index, value in enumerate(values) if value == SENTINEL_32]
    if not wanted and extra is None:
        return values
    if extra is None or len(extra) != 8 * len(wanted) or not wanted:
        raise MalformedZip(f"the zip64 record of {show(name)} does not fit its header")
    resolved = list(values)
    for index, value in zip(wanted, struct.unpack(f"<{len(wanted)}Q", extra), strict=True):
        resolved[index] = value
    return tuple(resolved)


def check_unicode_path(record: bytes | None, raw_name: bytes, name: str) -> None:
    """Demand that a Unicode path record (0x7075) says the same as the header.

    Raises:
        MalformedZip: it says something else.

    """
    expected = b"\x01" + zlib.crc32(raw_name).to_bytes(4, "little") + raw_name
    if record is not None and record != expected:
        raise MalformedZip(f"the Unicode path record of {show(name)} names something else")


def check_extras(extra: bytes, raw_name: bytes, name: str) -> bytes | None:
    """Hold a header's extra field against its name; returns the zip64 record.

    Raises:
        MalformedZip: cut off, doubled or contradicting records.

    """
    if not extra:
        return None
    records = parse_extras(extra, name)
    check_unicode_path(records.get(_EXTRA_UNICODE_PATH), raw_name, name)
    return records.get(EXTRA_ZIP64)


def _parse_directory(directory: bytes, count: int) -> Iterator[Entry]:
    position = 0
    for _ in range(count):
        if len(directory) - position < _CENTRAL.size:
            raise MalformedZip("its central directory has fewer entries than it states")
        fields = _CENTRAL.unpack_from(directory, position)
        position += _CENTRAL.size
        lengths = fields[10:13]
        variable = directory[position : position + sum(lengths)]
        position += sum(lengths)
        if fields[0] != b"PK\x01\x02" or len(variable) != sum(lengths):
            raise MalformedZip("its central directory is malformed")
        yield _parse_entry(fields, variable)
    if position != len(directory):
        raise MalformedZip("its central directory has more than the entries it states")


def _parse_entry(fields: tuple[int, ...], variable: bytes) -> Entry:
    _, _, version, flags, method, _, _, crc32, *_ = fields
    name_bytes, extra_bytes, comment_bytes, disk, _, attributes, offset = fields[10:]
    raw_name = variable[:name_bytes]
    name = _decode_name(raw_name, flags)
    _check_kind(name, flags=flags, method=method, attributes=attributes)
    if version > _MAX_VERSION:
        raise MalformedZip(f"{show(name)} needs version {version / 10} of the zip format")
    if disk:
        raise MalformedZip(f"{show(name)} lies on another volume")
    if comment_bytes:
        raise MalformedZip(f"{show(name)} has a comment")
    zip64 = check_extras(variable[name_bytes : name_bytes + extra_bytes], raw_name, name)
    uncompressed, compressed, offset = resolve_zip64((fields[9], fields[8], offset), zip64, name)
    if method == STORED and compressed != uncompressed:
        raise MalformedZip(f"{show(name)} is stored and states two sizes")
    if name.endswith("/") and uncompressed:
        raise MalformedZip(f"{show(name)} is a folder with contents")
    executable = bool(attributes >> 16 & 0o111)
    return Entry(
        name, raw_name, flags, method, crc32, compressed, uncompressed, executable, offset, 0
    )


def _decode_name(raw_name: bytes, flags: int) -> str:
    marked = flags & _FLAG_UTF8
    try:
        name = raw_name.decode("utf-8" if marked else "ascii")
    except UnicodeDecodeError:
        encoding = "UTF-8" if marked else "ASCII, and not marked as UTF-8"
        raise MalformedZip(f"the name {show(ascii(raw_name)[2:-1])} is not {encoding}") from None
    fault = find_fault(name.removesuffix("/"))
    if fault:
        raise MalformedZip(f"the name {show(name)} {fault}")
    return name


def _check_kind(name: str, *, flags: int, method: int, attributes: int) -> None:
    """Refuse what is not a plain file or directory; set-uid and friends are ignored."""
    if flags & _FLAGS_ENCRYPTED:
        raise MalformedZip(f"{show(name)} is encrypted")
    if flags & ~_FLAGS_ALLOWED:
        raise MalformedZip(f"{show(name)} has the flags 0x{flags:04x}")
    if method not in {STORED, DEFLATED}:
        spelled = f"{_METHODS[method]} ({method})" if method in _METHODS else str(method)
        raise MalformedZip(f"{show(name)} is compressed with method {spelled}, not with deflate")
    kind = stat.S_IFMT(attributes >> 16)
    if kind == stat.S_IFLNK:
        raise MalformedZip(f"{show(name)} is a symbolic link")
    if kind not in {0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG}:
        raise MalformedZip(f"{show(name)} is neither a file nor a folder (mode 0o{kind:o})")


def _check_limits(entries: list[Entry], file_bytes: int) -> None:
    total = sum(entry.uncompressed_bytes for entry in entries)
    if total > MAX_TOTAL_BYTES:
        raise MalformedZip(f"it unpacks to {total} bytes, more than {MAX_TOTAL_BYTES}")
    if total > RATIO_FREE_BYTES and total > MAX_RATIO * file_bytes:
        raise MalformedZip(f"it unpacks to more than {MAX_RATIO} times its size")


def _tile(entries: list[Entry], directory_offset: int) -> Iterator[Entry]:
    """Give every entry its extent; bytes before the first, and overlaps, are refused here."""
    if not entries:
        raise MalformedZip("it is empty")
    if entries[0].header_offset:
        raise MalformedZip("bytes precede its first member")
    ends = [*(entry.header_offset for entry in entries[1:]), directory_offset]
    for entry, end in zip(entries, ends, strict=True):
        extent = end - entry.header_offset
        if extent < LOCAL_HEADER_BYTES + len(entry.raw_name) + entry.compressed_bytes:
            raise MalformedZip(f"{show(entry.name)} overlaps what follows it")
        yield entry._replace(extent_bytes=extent)
