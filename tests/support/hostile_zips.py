"""Archives that must be refused, one lie each: Z1 to Z6 and Z9 to Z11 of the threat list.

Every shape is a whole wheel `demo 1.0` whose RECORD lists what the member should contain, so
that nothing but the lie is wrong with it.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from support.demo_wheel import TEXT, Shape, describing_members, good, wheel_of
from support.raw_zip import RawMember, deflate, unicode_extra, write_zip

_NAMES = Path(__file__).parent.parent / "cases" / "admission" / "names.json"


def refused_zips() -> Iterator[Shape]:
    """Every shape that must be refused."""
    for group in (_names, _clashes, _headers, _tiling, _bombs, _streams, _methods, _kinds, _extras):
        yield from group()


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
        reason="is not ASCII, and not marked as UTF-8",
    )
    yield Shape(
        name="Z11 utf-8 without the flag",
        data=wheel_of(replace(good("demo/\u00e9.py"), both={"flags": 0})),
        reason="is not ASCII, and not marked as UTF-8",
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
        "quoted overlap of many": (_quoted_overlap(100), "200 times its size"),
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
    """Fifield's bomb: each stream quotes the next local header as a stored block, and goes on.

    All members end with the one stream of the kernel, a mebibyte of zeros. zipfile unpacks it.
    """
    kernel = good(f"f{count:04}", bytes(2**20))
    area = write_zip([kernel])[: 30 + len(kernel.name) + len(kernel.stored())]
    from_end = [(kernel, len(area))]
    for number in reversed(range(count)):
        follower, _ = from_end[-1]
        header_bytes = 30 + len(follower.name)
        quote = struct.pack("<B2H", 0, header_bytes, header_bytes ^ 0xFFFF)
        data = area[:header_bytes] + follower.data
        stream = quote + area[:header_bytes] + follower.stored()
        member = RawMember(name=f"f{number:04}", data=data, stream=stream)
        header = write_zip([member])[: 30 + len(member.name)]
        area = header + quote + area
        from_end.append((member, len(area)))
    placed = [
        replace(member, stream=b"", both=_facts(member, len(area) - distance))
        for member, distance in from_end
    ]
    end = write_zip(placed)
    headers_only = sum(30 + len(member.name) for member in placed)
    directory = end[headers_only:-22]
    count = len(placed)
    sizes = (count, count, len(directory), len(area), 0)
    return area + directory + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, *sizes)


def _facts(member: RawMember, offset: int) -> dict[str, int | bytes]:
    return {"compressed": len(member.stored()), "offset": offset}


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
    version = wheel_of(replace(good(), both={"version": 64}))
    yield Shape(name="Z11 version", data=version, reason="needs version 6.4 of the zip format")
    volume = wheel_of(replace(good(), central={"disk": 1}))
    yield Shape(name="Z11 member volume", data=volume, reason="another volume")
