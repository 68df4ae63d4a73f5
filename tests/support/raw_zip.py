"""Writes zip archives byte by byte, with every field of every header open to lies."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


def deflate(data: bytes) -> bytes:
    """One raw deflate stream of `data`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@dataclass(frozen=True, kw_only=True, slots=True)
class RawMember:
    """A member as it should be, and what its headers say instead.

    `both`, `central` and `local` override fields of the headers by name: `name`, `extra`
    (bytes), `flags`, `method`, `crc32`, `compressed`, `uncompressed`, `comment`, `disk`,
    `attributes`, `offset`, `made_by`, `version`. `stream` replaces the stored bytes,
    `descriptor` follows them, `gap` follows everything. `hidden` leaves the member out of the
    central directory.
    """

    name: str
    data: bytes
    method: int = 8
    stream: bytes | None = None
    descriptor: bytes = b""
    gap: bytes = b""
    hidden: bool = False
    both: Mapping[str, int | bytes] = field(default_factory=dict)
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    local: Mapping[str, int | bytes] = field(default_factory=dict)

    def stored(self) -> bytes:
        """The bytes between the local header and the descriptor."""
        if self.stream is not None:
            return self.stream
        return deflate(self.data) if self.method == 8 else self.data

    def facts(self, offset: int) -> dict[str, int | bytes]:
        """The true fields of both headers."""
        return {
            "name": self.name.encode("utf-8", "surrogatepass"),
            "extra": b"",
            "comment": b"",
            "flags": 0 if self.name.isascii() else 0x0800,
            "method": self.method,
            "crc32": zlib.crc32(self.data),
            "compressed": len(self.stored()),
            "uncompressed": len(self.data),
            "made_by": 0x0314,
            "version": 20,
            "attributes": 0o040755 << 16 if self.name.endswith("/") else 0o100644 << 16,
            "disk": 0,
            "offset": offset,
        }


def write_zip(
    members: Sequence[RawMember],
    *,
    prefix: bytes = b"",
    before_directory: bytes = b"",
    after_directory: bytes = b"",
    comment: bytes = b"",
    trailing: bytes = b"",
    zip64: bool = False,
    end: Mapping[str, int] | None = None,
    end64: Mapping[str, int] | None = None,
) -> bytes:
    """Write an archive.

    `end` overrides `disk`, `start_disk`, `here`, `total`, `directory_bytes`,
    `directory_offset`, `comment_bytes` of the end record; `end64` those of the zip64 end record
    and `length`, `locator_offset`, `disks`, `locator_disk`. `zip64` writes the zip64 records
    and leaves the end record's own values as they are.
    """
    out = bytearray(prefix)
    central = bytearray()
    for member in members:
        facts = member.facts(len(out))
        out += _local(facts | dict(member.both) | dict(member.local))
        out += member.stored() + member.descriptor + member.gap
        if not member.hidden:
            central += _central(facts | dict(member.both) | dict(member.central))
    out += before_directory
    count = sum(not member.hidden for member in members)
    values = {"here": count, "total": count, "directory_bytes": len(central)}
    values |= {"directory_offset": len(out), "disk": 0, "start_disk": 0}
    out += central + after_directory
    if zip64:
        out += _end64(values | dict(end64 or {}), len(out))
    out += _end(values | {"comment_bytes": len(comment)} | dict(end or {}))
    return bytes(out + comment + trailing)


def zip64_extra(*values: int) -> bytes:
    """A zip64 extra record with these 64-bit values."""
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def unicode_extra(name: bytes, *, version: int = 1, crc_of: bytes | None = None) -> bytes:
    """A Unicode path extra record."""
    body = struct.pack("<BI", version, zlib.crc32(name if crc_of is None else crc_of)) + name
    return struct.pack("<2H", 0x7075, len(body)) + body


def descriptor(
    member: RawMember, *, signature: bool = True, extended: bool = False, **lies: int
) -> bytes:
    """A data descriptor for `member`."""
    values = member.facts(0) | lies
    layout = "<I2Q" if extended else "<3I"
    body = struct.pack(layout, *(values[key] for key in ("crc32", "compressed", "uncompressed")))
    return (b"PK\x07\x08" if signature else b"") + body


def _local(f: Mapping[str, int | bytes]) -> bytes:
    name, extra = bytes(f["name"]), bytes(f["extra"])
    keys = ("crc32", "compressed", "uncompressed")
    return (
        struct.pack("<4s5H", b"PK\x03\x04", f["version"], f["flags"], f["method"], 0, 0x21)
        + struct.pack("<3I2H", *(f[key] for key in keys), len(name), len(extra))
        + name
        + extra
    )


def _central(f: Mapping[str, int | bytes]) -> bytes:
    name, extra, comment = (bytes(f[k]) for k in ("name", "extra", "comment"))
    keys = ("crc32", "compressed", "uncompressed")
    return (
        struct.pack(
            "<4s6H", b"PK\x01\x02", f["made_by"], f["version"], f["flags"], f["method"], 0, 0x21
        )
        + struct.pack("<3I3H", *(f[key] for key in keys), len(name), len(extra), len(comment))
        + struct.pack("<2H2I", f["disk"], 0, f["attributes"], f["offset"])
        + name
        + extra
        + comment
    )


def _end(v: Mapping[str, int]) -> bytes:
    return struct.pack(
        "<4s4H2IH",
        b"PK\x05\x06",
        v["disk"],
        v["start_disk"],
        v["here"],
        v["total"],
        v["directory_bytes"],
        v["directory_offset"],
        v["comment_bytes"],
    )


def _end64(v: Mapping[str, int], offset: int) -> bytes:
    keys = ("disk", "start_disk", "here", "total", "directory_bytes", "directory_offset")
    record = struct.pack(
        "<4sQ2H2I4Q", b"PK\x06\x06", v.get("length", 44), 45, 45, *(v[key] for key in keys)
    )
    return record + struct.pack(
        "<4sIQI",
        b"PK\x06\x07",
        v.get("locator_disk", 0),
        v.get("locator_offset", offset),
        v.get("disks", 1),
    )
