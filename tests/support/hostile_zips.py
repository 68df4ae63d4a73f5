"""Wheels that must be refused, one lie each, and odd ones that must be accepted.

The numbers Z1..W4 are those of the threat list. Every shape is a whole wheel `demo 1.0` whose
RECORD lists what the member should contain, so that nothing but the lie is wrong with it.
"""

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from support.raw_zip import (
    RawMember,
    deflate,
    descriptor,
    unicode_extra,
    write_zip,
    zip64_extra,
)
from support.wheel_builder import (
    record_hash,
    render_metadata,
    render_record_file,
    render_wheel_file,
)

FILE_NAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
TEXT = b"VALUE = 1\n" * 20
_NAMES = Path(__file__).parent.parent / "cases" / "admission" / "names.json"
_DEFLATE_FLAG = 0x0008


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One wheel; `reason` is a part of the refusal, or of a finding when it is accepted."""

    name: str
    data: bytes
    reason: str = ""
    filename: str = FILE_NAME


def describing_members(
    payload: Mapping[str, bytes], *, replaced: Mapping[str, bytes | None] | None = None
) -> list[RawMember]:
    """Make the `.dist-info` members for `payload`; `replaced` by file name, None leaves it out."""
    texts: dict[str, bytes] = {
        "METADATA": render_metadata("demo", "1.0"),
        "WHEEL": render_wheel_file("py3-none-any", root_is_purelib=True),
    }
    changes = dict(replaced or {})
    described = {f"{INFO}/{key}": changes.get(key, text) for key, text in texts.items()}
    files = {key: text for key, text in described.items() if text is not None}
    record = changes.get("RECORD", render_record_file({**payload, **files}, f"{INFO}/RECORD"))
    if record is not None:
        files[f"{INFO}/RECORD"] = record
    return [RawMember(name=key, data=text) for key, text in files.items()]


def wheel_of(*members: RawMember, **archive: object) -> bytes:
    """Write a wheel with these payload members first; `archive` goes to `write_zip`."""
    payload = {m.name: m.data for m in members if not m.name.endswith("/") and not m.hidden}
    return write_zip([*members, *describing_members(payload)], **archive)  # type: ignore[arg-type]  # passed through


def good(name: str = "demo/__init__.py", data: bytes = TEXT) -> RawMember:
    """A member without a lie."""
    return RawMember(name=name, data=data)


def refused() -> Iterator[Shape]:
    """Every shape that must be refused."""
    for group in (_names, _clashes, _headers, _tiling, _bombs, _streams, _ends, _zip64):
        yield from group()
    for group in (_descriptors, _methods, _kinds, _extras, _records, _folders):
        yield from group()


def accepted() -> Iterator[Shape]:
    """Every odd shape that must be accepted, and read as zipfile reads it."""
    member = good()
    extra = struct.pack("<2H", 0x5455, 5) + b"\x03" + b"\0" * 4
    both64 = zip64_extra(len(TEXT), len(member.stored()))
    yield Shape(name="plain", data=wheel_of(member))
    yield Shape(name="stored", data=wheel_of(replace(member, method=0)))
    yield Shape(name="empty file", data=wheel_of(good(data=b"")))
    yield Shape(name="folders", data=wheel_of(RawMember(name="demo/", data=b"", method=0), member))
    yield Shape(name="utf-8 name", data=wheel_of(good("demo/ü.py")))
    yield Shape(name="utf-8 flag on ascii", data=wheel_of(replace(member, both={"flags": 0x800})))
    yield Shape(name="deflate level flags", data=wheel_of(replace(member, both={"flags": 6})))
    yield Shape(
        name="local timestamp extra", data=wheel_of(replace(member, local={"extra": extra}))
    )
    yield Shape(name="central extra", data=wheel_of(replace(member, central={"extra": extra})))
    yield Shape(
        name="unicode path equal",
        data=wheel_of(replace(member, both={"extra": unicode_extra(b"demo/__init__.py")})),
    )
    yield Shape(name="comment", data=wheel_of(member, comment=b"built with care"))
    yield Shape(
        name="trailing NULs", data=wheel_of(member, trailing=b"\0" * 512), reason="512 NUL bytes"
    )
    yield Shape(name="zip64 records", data=wheel_of(member, zip64=True))
    yield Shape(
        name="zip64 records with sentinels",
        data=wheel_of(
            member,
            zip64=True,
            end={"total": 0xFFFF, "here": 0xFFFF, "directory_bytes": 2**32 - 1}
            | {"directory_offset": 2**32 - 1},
        ),
    )
    sentinels = {"compressed": 2**32 - 1, "uncompressed": 2**32 - 1, "extra": both64}
    yield Shape(name="zip64 sizes", data=wheel_of(replace(member, both=sentinels)))
    yield Shape(name="zip64 local sizes", data=wheel_of(replace(member, local=sentinels)))
    yield Shape(name="forced zip64", data=wheel_of(replace(member, local={"extra": both64})))
    for signature in (True, False):
        for extended in (True, False):
            yield Shape(
                name=f"descriptor signature={signature} extended={extended}",
                data=wheel_of(_streamed(member, signature=signature, extended=extended)),
            )
    yield Shape(name="set-uid", data=wheel_of(replace(member, both={"attributes": 0o104755 << 16})))
    yield Shape(name="no mode", data=wheel_of(replace(member, both={"attributes": 0})))
    twins = wheel_of(good("demo/A.py"), good("demo/a.py"))
    yield Shape(name="case twins", data=twins, reason="`demo/A.py` and `demo/a.py`")
    accents = wheel_of(good("demo/\u00e9.py"), good("demo/e\u0301.py"))
    yield Shape(name="normal form twins", data=accents, reason="differ only in case or accents")
    yield Shape(name="device stem", data=wheel_of(good("demo/aux.py")), reason="`demo/aux.py`")
    yield Shape(name="not in offset order", data=_reversed_directory())
    empty = RawMember(name="demo/big.bin", data=bytes(3 * 2**20))
    yield Shape(name="several chunks", data=wheel_of(empty))
    noise = b"".join(struct.pack("<I", zlib.crc32(bytes([n % 251, n // 251]))) for n in range(9000))
    yield Shape(name="much noise", data=wheel_of(good(data=noise * 20)))


def _streamed(member: RawMember, *, signature: bool = True, extended: bool = False) -> RawMember:
    zeros: dict[str, int | bytes] = {"crc32": 0, "compressed": 0, "uncompressed": 0}
    if extended:
        zeros["extra"] = zip64_extra(0, 0)
    return replace(
        member,
        both={"flags": _DEFLATE_FLAG},
        local=zeros,
        descriptor=descriptor(member, signature=signature, extended=extended),
    )


def _names() -> Iterator[Shape]:
    for number, case in enumerate(json.loads(_NAMES.read_text())["illegal"]):
        data = wheel_of(good(case["name"]))
        yield Shape(name=f"Z1 name {number}", data=data, reason=case["fault"])
    yield Shape(
        name="Z12 surrogate",
        data=wheel_of(replace(good(), both={"name": b"demo/\xed\xa0\x80.py", "flags": 0x800})),
        reason="is not UTF-8",
    )
    overlong: dict[str, int | bytes] = {"name": b"demo\xc0\xaf..\xc0\xafx", "flags": 0x800}
    yield Shape(
        name="Z11 overlong slash",
        data=wheel_of(replace(good(), both=overlong)),
        reason="is not UTF-8",
    )
    yield Shape(
        name="Z11 cp437 name",
        data=wheel_of(replace(good(), both={"name": b"demo/\x81.py"})),
        reason="is not UTF-8",
    )


def _clashes() -> Iterator[Shape]:
    folder = RawMember(name="demo/", data=b"", method=0)
    shapes: dict[str, tuple[Sequence[RawMember], str]] = {
        "same name twice": ([good(), good()], "is there twice"),
        "same name, other bytes": ([good(), good(data=b"import os\n")], "is there twice"),
        "folder twice": ([folder, folder, good()], "the folder `demo` is there twice"),
        "file and folder entry": ([good("demo"), folder], "`demo` is a file and a folder"),
        "file and its folder": ([good("demo"), good("demo/x.py")], "`demo` is a file and a folder"),
        "file and deep folder": ([good("a/b"), good("a/b/c/d")], "`a/b` is a file and a folder"),
    }
    for name, (members, reason) in shapes.items():
        yield Shape(name=f"Z2 {name}", data=wheel_of(*members), reason=reason)


def _headers() -> Iterator[Shape]:
    lies: dict[str, tuple[Mapping[str, int | bytes], str]] = {
        "name": ({"name": b"demo/__evil__.py"}, "another name"),
        "shorter name": ({"name": b"demo/__init__.p"}, "overlaps"),
        "method": ({"method": 0}, "other flags or method"),
        "flags": ({"flags": 0x0002}, "other flags or method"),
        "crc": ({"crc32": 1}, "another CRC-32 or size"),
        "compressed": ({"compressed": 3}, "another CRC-32 or size"),
        "uncompressed": ({"uncompressed": 3}, "another CRC-32 or size"),
        "zero sizes without flag": ({"compressed": 0, "uncompressed": 0}, "another CRC-32 or size"),
        "extra cut off": ({"extra": b"\x01"}, "is cut off"),
        "extra too long": ({"extra": struct.pack("<2H", 0x5455, 9)}, "is cut off"),
    }
    for name, (local, reason) in lies.items():
        data = wheel_of(replace(good(), local=local))
        yield Shape(name=f"Z3 local {name}", data=data, reason=reason)
    nowhere = wheel_of(good("a.py"), replace(good("b.py"), central={"offset": 40}))
    yield Shape(name="Z3 offset inside a member", data=nowhere, reason="overlaps")
    yield Shape(
        name="Z3 orphan local header",
        data=wheel_of(good(), replace(good("demo/orphan.py"), hidden=True)),
        reason="a gap follows",
    )
    yield Shape(
        name="Z3 wrong crc in both",
        data=wheel_of(replace(good(), both={"crc32": 7})),
        reason="another CRC-32 than stated",
    )


def _tiling() -> Iterator[Shape]:
    payload = {"demo/__init__.py": TEXT}
    members = [good(), *describing_members(payload)]
    inner = write_zip([good("inner.py")])
    shapes = {
        "prefix": (write_zip(members, prefix=b"#!/bin/sh\n"), "bytes precede"),
        "gap": (write_zip([replace(members[0], gap=b"gap"), *members[1:]]), "a gap follows"),
        "gap before directory": (write_zip(members, before_directory=b"gap"), "a gap follows"),
        "gap of a whole zip": (write_zip(members, before_directory=inner), "a gap follows"),
        "bytes after directory": (write_zip(members, after_directory=b"x"), "does not end where"),
        "two zips in a row": (inner + write_zip(members), "does not end where"),
        "shared stream": (_shared_stream(), "overlaps"),
        "quoted overlap": (_quoted_overlap(40), "overlaps"),
        "quoted overlap of many": (_quoted_overlap(1000), "overlaps"),
        "offset beyond": (_offset_lie(2**31), "overlaps"),
        "offset into directory": (_offset_lie(400), "overlaps"),
    }
    for name, (data, reason) in shapes.items():
        yield Shape(name=f"Z4 {name}", data=data, reason=reason)


def _offset_lie(offset: int) -> bytes:
    return wheel_of(good(), replace(good("demo/b.py"), central={"offset": offset}))


def _shared_stream() -> bytes:
    first = good("demo/a.py")
    return wheel_of(first, replace(good("demo/b.py"), central={"offset": 0}))


def _quoted_overlap(count: int) -> bytes:
    """Fifield's bomb: each stream quotes all following local headers as a stored block."""
    kernel = good(f"f{count:04}", bytes(2**20))
    tail, data = write_zip([kernel]), kernel.data
    start = 30 + len(kernel.name) + len(kernel.stored())
    area, members = tail[:start], [(kernel.name, 0, len(kernel.stored()), data)]
    for number in reversed(range(count)):
        name = f"f{number:04}"
        header_bytes = 30 + len(members[-1][0])
        header = area[:header_bytes]
        quoted = struct.pack("<B2H", 0, header_bytes, header_bytes ^ 0xFFFF)
        data = header + data
        stream_bytes = len(quoted) + header_bytes + members[-1][2]
        local = struct.pack("<4s5H", b"PK\x03\x04", 20, 0, 8, 0, 0x21)
        local += struct.pack("<3I2H", zlib.crc32(data), stream_bytes, len(data), len(name), 0)
        area = local + name.encode() + quoted + area
        members.append((name, len(area), stream_bytes, data))
        if len(data) > 2**20 + 2**16:
            break
    total = len(area)
    central = b""
    for name, end, stream_bytes, text in members:
        offset = total - (end or start)
        central += struct.pack("<4s6H", b"PK\x01\x02", 0x314, 20, 0, 8, 0, 0x21)
        central += struct.pack("<3I3H", zlib.crc32(text), stream_bytes, len(text), len(name), 0, 0)
        central += struct.pack("<2H2I", 0, 0, 0o100644 << 16, offset) + name.encode()
    end_record = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, *[len(members)] * 2, len(central), total, 0
    )
    return area + central + end_record


def _reversed_directory() -> bytes:
    """A central directory in another order than the members: legal, and Info-ZIP writes such."""
    first, second = good("demo/a.py"), good("demo/b.py")
    offset = 30 + len(first.name) + len(first.stored())
    a = replace(first, central={"name": b"demo/b.py", "offset": offset})
    b = replace(second, central={"name": b"demo/a.py", "offset": 0})
    return wheel_of(a, b)


def _bombs() -> Iterator[Shape]:
    big: dict[str, int | bytes] = {"uncompressed": 2**31 + 1}
    yield Shape(
        name="Z5 huge declared size",
        data=wheel_of(replace(good(), both=big)),
        reason="more than 2147483648",
    )
    bomb = RawMember(name="demo/bomb.bin", data=bytes(65 * 2**20))
    members = [bomb, *describing_members({}, replaced={"RECORD": b""})]
    yield Shape(name="Z5 ratio", data=write_zip(members), reason="more than 200 times its size")
    liar = replace(good(), stream=deflate(bytes(2**25)))
    yield Shape(name="Z5 small lie", data=wheel_of(liar), reason="unpacks to more than it states")
    many = [RawMember(name=f"d/{n}", data=b"", method=0) for n in range(65_535)]
    yield Shape(
        name="Z5 too many members",
        data=write_zip(many, zip64=True, end={"here": 0xFFFF, "total": 0xFFFF}),
        reason="more than 65534",
    )
    yield Shape(
        name="Z5 huge directory",
        data=wheel_of(good(), end={"directory_bytes": 2**26}),
        reason="larger than 33554432 bytes",
    )


def _streams() -> Iterator[Shape]:
    stream = deflate(TEXT)
    shapes: dict[str, tuple[bytes, str]] = {
        "two streams": (stream + deflate(b"x"), "bytes follow the stream"),
        "trailing byte": (stream + b"\0", "bytes follow the stream"),
        "trailing zip": (stream + write_zip([good()]), "bytes follow the stream"),
        "cut off": (stream[:-2], "does not end"),
        "empty stream": (b"", "does not end"),
        "bad block type": (b"\x07" + stream[1:], "is damaged"),
        "stored block lies": (b"\x01\x05\x00\x00\x00hello", "is damaged"),
        "distance too far": (b"\x03\x02\x00", "is damaged"),
        "longer": (deflate(TEXT + b"x"), "unpacks to more"),
        "shorter": (deflate(TEXT[:-1]), "unpacks to less"),
        "other bytes": (deflate(b"X" + TEXT[1:]), "another CRC-32"),
        "zlib wrapped": (zlib.compress(TEXT), "is damaged"),
        "endless empty blocks": (b"\0\0\0\xff\xff" * 50_000, "does not end"),
    }
    for name, (data, reason) in shapes.items():
        yield Shape(name=f"Z6 {name}", data=wheel_of(replace(good(), stream=data)), reason=reason)
    yield Shape(
        name="Z6 stored with two sizes",
        data=wheel_of(replace(good(), method=0, both={"uncompressed": 3})),
        reason="states two sizes",
    )
    yield Shape(
        name="Z6 folder with contents",
        data=wheel_of(RawMember(name="demo/", data=b"boo", method=0), good()),
        reason="is a folder with contents",
    )


def _ends() -> Iterator[Shape]:
    whole = wheel_of(good())
    inner = write_zip([good("inner.py")])
    shapes: dict[str, tuple[bytes, str]] = {
        "empty file": (b"", "not a zip file"),
        "text": (b"<html>not found</html>" * 10, "not a zip file"),
        "cut off": (whole[:-1], "not a zip file"),
        "cut in the middle": (whole[: len(whole) // 2], "not a zip file"),
        "front missing": (whole[10:], "does not end where"),
        "no members": (write_zip([]), "it is empty"),
        "zip in the comment": (wheel_of(good(), comment=inner), "does not end where"),
        "zip behind": (whole + inner, "does not end where"),
        "bytes behind": (whole + b"x", "bytes follow its end record"),
        "end in the comment": (
            wheel_of(good(), comment=whole[-22:] + b"more"),
            "bytes follow its end record",
        ),
        "two ends and NULs": (
            wheel_of(good("demo/in.zip", b"PK\x05\x06"), trailing=b"\0"),
            "it has a second end record",
        ),
        "comment too long": (wheel_of(good(), end={"comment_bytes": 9}), "comment at its end"),
        "second volume": (wheel_of(good(), end={"disk": 1}), "several volumes"),
        "directory elsewhere": (wheel_of(good(), end={"start_disk": 1}), "several volumes"),
        "two counts": (wheel_of(good(), end={"here": 1}), "several volumes"),
        "fewer members": (wheel_of(good(), end={"here": 3, "total": 3}), "more than the entries"),
        "more members": (wheel_of(good(), end={"here": 9, "total": 9}), "fewer entries"),
        "directory offset": (wheel_of(good(), end={"directory_offset": 1}), "does not end where"),
        "directory length": (wheel_of(good(), end={"directory_bytes": 1}), "does not end where"),
    }
    for name, (data, reason) in shapes.items():
        yield Shape(name=f"Z7 {name}", data=data, reason=reason)


def _zip64() -> Iterator[Shape]:
    sentinel: dict[str, int] = {"directory_offset": 2**32 - 1}
    records: dict[str, tuple[dict[str, int], str]] = {
        "other count": ({"here": 9, "total": 9}, "contradicts"),
        "two counts": ({"here": 1}, "contradicts"),
        "other offset": ({"directory_offset": 3}, "contradicts"),
        "other length": ({"directory_bytes": 3}, "contradicts"),
        "extensible data": ({"length": 60}, "end record is malformed"),
        "volume": ({"disk": 1}, "end record is malformed"),
        "locator elsewhere": ({"locator_offset": 3}, "does not point at"),
        "locator far away": ({"locator_offset": 2**63}, "does not point at"),
        "locator volume": ({"locator_disk": 1}, "does not point at"),
        "several volumes": ({"disks": 2}, "does not point at"),
    }
    for name, (end64, reason) in records.items():
        data = wheel_of(good(), zip64=True, end64=end64)
        yield Shape(name=f"Z7 zip64 {name}", data=data, reason=reason)
    missing = wheel_of(good(), end=sentinel)
    yield Shape(name="Z7 zip64 missing", data=missing, reason="that are not there")
    size, packed = len(TEXT), len(deflate(TEXT))
    full: dict[str, int | bytes] = {"compressed": 2**32 - 1, "uncompressed": 2**32 - 1}
    extras: dict[str, tuple[dict[str, int | bytes], str]] = {
        "sentinel without record": (full, "does not fit its header"),
        "record without sentinel": ({"extra": zip64_extra(size, packed)}, "does not fit"),
        "record too short": (full | {"extra": zip64_extra(size)}, "does not fit"),
        "record too long": (full | {"extra": zip64_extra(size, packed, 0)}, "does not fit"),
        "record twice": (full | {"extra": zip64_extra(size, packed) * 2}, "twice"),
    }
    for name, (central, reason) in extras.items():
        data = wheel_of(replace(good(), central=central))
        yield Shape(name=f"Z7 zip64 {name}", data=data, reason=reason)
    other = full | {"extra": zip64_extra(size + 1, packed)}
    yield Shape(
        name="Z7 zip64 local lies",
        data=wheel_of(replace(good(), local=other)),
        reason="in its zip64 record",
    )


def _descriptors() -> Iterator[Shape]:
    member = _streamed(good())
    shapes: dict[str, tuple[bytes, str]] = {
        "absent": (b"", "no data descriptor"),
        "cut off": (member.descriptor[:-1], "no data descriptor"),
        "gap": (member.descriptor + b"x", "no data descriptor"),
        "crc": (descriptor(good(), crc32=1), "disagrees"),
        "compressed": (descriptor(good(), compressed=1), "disagrees"),
        "uncompressed": (descriptor(good(), uncompressed=1), "disagrees"),
        "wide without zip64": (descriptor(good(), extended=True), "no data descriptor"),
    }
    for name, (data, reason) in shapes.items():
        yield Shape(
            name=f"Z8 {name}", data=wheel_of(replace(member, descriptor=data)), reason=reason
        )
    unflagged = replace(good(), descriptor=member.descriptor)
    yield Shape(name="Z8 without the flag", data=wheel_of(unflagged), reason="a gap follows")
    half = replace(member, local={"crc32": 5, "compressed": 0, "uncompressed": 0})
    yield Shape(name="Z8 wrong crc before", data=wheel_of(half), reason="another CRC-32 or size")


def _methods() -> Iterator[Shape]:
    for flag, reason in ((0x1, "is encrypted"), (0x41, "is encrypted"), (0x2000, "is encrypted"),
                         (0x20, "has the flags 0x0020"), (0x10, "has the flags")):  # fmt: skip
        data = wheel_of(replace(good(), both={"flags": flag}))
        yield Shape(name=f"Z9 flag {flag:#x}", data=data, reason=reason)
    methods = {9: "deflate64 (9)", 12: "bzip2 (12)", 14: "lzma (14)", 93: "zstandard (93)", 5: "5"}
    for method, reason in methods.items():
        data = wheel_of(replace(good(), both={"method": method}))
        yield Shape(name=f"Z9 method {method}", data=data, reason=f"method {reason}")


def _kinds() -> Iterator[Shape]:
    kinds = {"link": (0o120777, "symbolic link"), "device": (0o020666, "neither a file"),
             "block": (0o060666, "neither a file"), "fifo": (0o010644, "neither a file"),
             "socket": (0o140644, "neither a file"), "folder": (0o040755, "neither a file"),
             "odd": (0o170644, "neither a file")}  # fmt: skip
    for name, (mode, reason) in kinds.items():
        data = wheel_of(replace(good(), both={"attributes": mode << 16}))
        yield Shape(name=f"Z10 {name}", data=data, reason=reason)
    dos = wheel_of(replace(good(), both={"attributes": 0o120777 << 16, "made_by": 20}))
    yield Shape(name="Z10 link of a DOS archive", data=dos, reason="symbolic link")


def _extras() -> Iterator[Shape]:
    name, evil = b"demo/__init__.py", b"demo/__evil__.py"
    extras = {
        "other name": (unicode_extra(evil, crc_of=name), "names something else"),
        "other crc": (unicode_extra(name, crc_of=evil), "names something else"),
        "other version": (unicode_extra(name, version=2), "names something else"),
        "twice": (unicode_extra(name) * 2, "twice"),
        "empty": (struct.pack("<2H", 0x7075, 0), "names something else"),
    }
    sides: tuple[str, ...] = ("central", "local")
    for label, (extra, reason) in extras.items():
        for side in sides:
            lie: dict[str, int | bytes] = {"extra": extra}
            member = replace(good(), local=lie) if side == "local" else replace(good(), central=lie)
            yield Shape(name=f"Z11 {side} {label}", data=wheel_of(member), reason=reason)
    comment = wheel_of(replace(good(), central={"comment": b"hello"}))
    yield Shape(name="Z11 member comment", data=comment, reason="has a comment")
    volume = wheel_of(replace(good(), central={"disk": 1}))
    yield Shape(name="Z11 member volume", data=volume, reason="another volume")


def _records() -> Iterator[Shape]:
    right = render_record_file({"demo/__init__.py": TEXT}, f"{INFO}/RECORD")
    wrong = record_hash(b"other")
    edits: dict[str, tuple[bytes | None, str]] = {
        "missing": (None, f"it has no `{INFO}/RECORD`"),
        "not utf-8": (b"\xff,,\n", "it is not UTF-8"),
        "two fields": (b"a,b\n", "2 fields instead of 3"),
        "unlisted": (b"", "RECORD does not list `demo/__init__.py`"),
        "no hash": (b"demo/__init__.py,,\n", "has no hash for `demo/__init__.py`"),
        "other hash": (f"demo/__init__.py,{wrong},\n".encode(), "has another hash for"),
        "md5": (b"demo/__init__.py,md5=abc,\n", "hash of the kind `md5`"),
        "sha1": (b"demo/__init__.py,sha1=abc,\n", "hash of the kind `sha1`"),
        "other size": (right.replace(b",200\n", b",201\n"), "has another size for"),
        "absolute": (right + b"/etc/passwd,,\n", "outside of the wheel"),
        "parent": (right + b"../../bin/x,,\n", "outside of the wheel"),
        "contradiction": (right + b"demo/__init__.py,sha256=x,1\n", "contradicts an earlier line"),
    }
    for name, (record, reason) in edits.items():
        members = [good(), *describing_members({}, replaced={"RECORD": record})]
        yield Shape(name=f"W1 record {name}", data=write_zip(members), reason=reason)


def _folders() -> Iterator[Shape]:
    def described(**replaced: bytes | None) -> bytes:
        return write_zip(
            [good(), *describing_members({"demo/__init__.py": TEXT}, replaced=replaced)]
        )

    whole = wheel_of(good())
    data: Callable[[str], bytes] = lambda name: wheel_of(good(name))  # noqa: E731 -- one line each
    shapes: dict[str, tuple[bytes, str, str]] = {
        "no METADATA": (described(METADATA=None), "it has no", FILE_NAME),
        "no WHEEL": (described(WHEEL=None), "it has no", FILE_NAME),
        "other name": (described(METADATA=render_metadata("o", "1.0")), "names `o 1.0`", FILE_NAME),
        "other version": (described(METADATA=render_metadata("demo", "2")), "`demo 2`", FILE_NAME),
        "no name": (described(METADATA=b"Version: 1.0\n\n"), "its METADATA names", FILE_NAME),
        "two names": (
            described(METADATA=b"Name: demo\nName: evil\nVersion: 1.0\n\n"),
            "its METADATA names",
            FILE_NAME,
        ),
        "bad requirement": (
            described(METADATA=render_metadata("demo", "1.0", ["a b c"])),
            "the invalid requirement `a b c`",
            FILE_NAME,
        ),
        "wheel 2": (described(WHEEL=b"Wheel-Version: 2.0\n"), "2.0 is not supported", FILE_NAME),
        "no wheel version": (described(WHEEL=b"Tag: x\n"), "states no Wheel-Version", FILE_NAME),
        "binary WHEEL": (described(WHEEL=b"\xff\xfe"), "is not UTF-8", FILE_NAME),
        "file of another name": (whole, "another distribution's", "other-1.0-py3-none-any.whl"),
        "file of another version": (whole, "another distribution's", "demo-2.0-py3-none-any.whl"),
        "file name": (whole, "not that of a wheel", "demo.whl"),
        "second dist-info": (data("evil-1.0.dist-info/METADATA"), "several", FILE_NAME),
        "data key": (data("demo-1.0.data/bin/x"), "no kind", FILE_NAME),
        "data file": (data("demo-1.0.data/x"), "no kind", FILE_NAME),
        "data key is a file": (data("demo-1.0.data/purelib"), "no kind", FILE_NAME),
        "foreign data": (data("evil-1.0.data/purelib/x.py"), "another distribution's", FILE_NAME),
        "data over the root": (
            wheel_of(good(), good("demo-1.0.data/purelib/demo/__init__.py")),
            "after installation `demo/__init__.py` is there twice",
            FILE_NAME,
        ),
        "purelib over platlib": (
            wheel_of(good("demo-1.0.data/purelib/a"), good("demo-1.0.data/platlib/a/b")),
            "after installation `a` is a file and a folder",
            FILE_NAME,
        ),
        "dist-info in data": (
            data("demo-1.0.data/purelib/evil-1.0.dist-info/METADATA"),
            "brings `evil-1.0.dist-info`",
            FILE_NAME,
        ),
        "no dist-info": (write_zip([good()]), "it has no `.dist-info` folder", FILE_NAME),
    }
    for name, (content, reason, filename) in shapes.items():
        yield Shape(name=f"W3 {name}", data=content, reason=reason, filename=filename)
