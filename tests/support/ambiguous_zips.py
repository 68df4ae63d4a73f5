"""Archives of the kinds that make zip readers disagree, generated in grids.

The fourteen kinds of the literature on differences between zip parsers: redundant facts that
contradict each other (A1 to A5), names that programs map differently (B1 to B4), places where
programs look in different orders (C1 to C5). No verdict is written down for a shape: it must be
refused, or be read alike by everybody.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace

from support.demo_wheel import TEXT, Shape, good, streamed, wheel_of
from support.raw_zip import RawMember, deflate, descriptor, unicode_extra, write_zip, zip64_extra

_SIZES = (0, 1, len(TEXT) - 1, len(TEXT) + 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_SIDES = ("local", "central", "both")
KINDS = tuple(f"{letter}{n}" for letter, top in (("A", 5), ("B", 4), ("C", 5))
              for n in range(1, top + 1))  # fmt: skip


def ambiguous_zips() -> Iterator[Shape]:
    """Every shape, its kind first in its name."""
    groups = (_a1, _a2, _a3, _a4, _a5, _b1, _b2, _b3, _b4, _c1, _c2, _c3, _c4, _c5)
    for kind, group in zip(KINDS, groups, strict=True):
        for title, data in group():
            yield Shape(name=f"{kind} {title}", data=data)


def _lying(side: str, **lie: int | bytes) -> bytes:
    return _lying_of(good(), side, **lie)


def _lying_of(honest: RawMember, side: str, **lie: int | bytes) -> bytes:
    if side == "both":
        return wheel_of(replace(honest, both={**honest.both, **lie}))
    if side == "local":
        return wheel_of(replace(honest, local={**honest.local, **lie}))
    return wheel_of(replace(honest, central={**honest.central, **lie}))


def _a1() -> Iterator[tuple[str, bytes]]:
    """The compression method."""
    for side in _SIDES:
        for method in (*range(22), 92, 93, 94, 95, 96, 97, 98, 99, 0xFFFF):
            yield f"method {method} {side}", _lying(side, method=method)


def _a2() -> Iterator[tuple[str, bytes]]:
    """Sizes and checksums."""
    for side in _SIDES:
        for field in ("compressed", "uncompressed", "crc32"):
            for value in _SIZES:
                yield f"{field} {value:#x} {side}", _lying(side, **{field: value})
    for size in _SIZES:
        both = {"compressed": size & 0xFFFFFFFF, "uncompressed": size & 0xFFFFFFFF}
        yield f"stored, both sizes {size:#x}", _lying_of(replace(good(), method=0), "both", **both)
    stream = deflate(TEXT)
    for tail in (b"\0", b"x", stream, b"PK\x03\x04", b"\x03\x00"):
        yield f"tail {tail[:4].hex()}", wheel_of(replace(good(), stream=stream + tail))
    for cut in range(1, len(stream)):
        yield f"cut {cut}", wheel_of(replace(good(), stream=stream[:cut]))


def _a3() -> Iterator[tuple[str, bytes]]:
    """The name: local, central, and the Unicode path record."""
    evil = (
        b"demo/__evil__.py",
        b"demo/__init__.p",
        b"/etc/passwd",
        b"../x",
        b"",
        b"demo/",
        b"a" * 300,
    )
    for name in evil:
        for side in ("local", "central"):
            yield f"name {name[:12].decode()} {side}", _lying(side, name=name)
        for side in _SIDES:
            honest = b"demo/__init__.py"
            for version in (0, 1, 2):
                extra = unicode_extra(name, version=version, crc_of=honest)
                yield f"0x7075 v{version} {name[:12].decode()} {side}", _lying(side, extra=extra)


def _a4() -> Iterator[tuple[str, bytes]]:
    """The zip64 record of a member."""
    size, packed = len(TEXT), len(deflate(TEXT))
    values = (
        (),
        (size,),
        (size, packed),
        (packed, size),
        (size, packed, 0),
        (0, 0),
        (size + 1, packed),
    )
    for side in _SIDES:
        for content in values:
            for fields in ((), ("uncompressed",), ("compressed", "uncompressed")):
                lie: dict[str, int | bytes] = {"extra": zip64_extra(*content)}
                lie |= dict.fromkeys(fields, 0xFFFFFFFF)
                yield f"{content} {len(fields)} sentinels {side}", _lying(side, **lie)
        for cut in (1, 3, 5, 11):
            extra = zip64_extra(size, packed)[:-cut]
            yield f"cut {cut} {side}", _lying(side, extra=extra)


def _a5() -> Iterator[tuple[str, bytes]]:
    """Flags, versions and attributes."""
    for side in _SIDES:
        for bit in range(16):
            yield f"flag {1 << bit:#06x} {side}", _lying(side, flags=1 << bit)
        for version in (0, 10, 20, 45, 46, 51, 62, 63, 64, 99, 0xFFFF):
            yield f"version {version} {side}", _lying(side, version=version)
    for kind in range(16):
        for made_by in (0x0014, 0x0314, 0x0A14, 0x1314):
            lie = {"attributes": (kind << 12 | 0o755) << 16, "made_by": made_by}
            yield f"mode {kind:#x} system {made_by >> 8}", _lying("central", **lie)
    for attribute in range(8):
        yield f"DOS bit {attribute}", _lying("central", attributes=1 << attribute)


def _b1() -> Iterator[tuple[str, bytes]]:
    """The same name twice, a file beside a folder of its name."""
    names = ("demo/a.py", "demo/a.py/", "demo/a.py/b", "demo", "demo/", "Demo/a.py")
    for first in names:
        for second in names:
            members = [RawMember(name=n, data=b"" if n.endswith("/") else n.encode() + d, method=0)
                       for n, d in ((first, b"1"), (second, b"2"))]  # fmt: skip
            yield f"{first} and {second}", wheel_of(*members)


def _b2() -> Iterator[tuple[str, bytes]]:
    """Every byte in a name, with the UTF-8 flag and without."""
    for byte in range(256):
        for place, pattern in (
            ("inside", b"demo/a%sb.py"),
            ("last", b"demo/ab%s"),
            ("first", b"%sdemo"),
        ):
            for flags in (0, 0x0800):
                name = pattern % bytes([byte])
                honest = good(name.decode("utf-8" if name.isascii() else "latin-1"))
                lie = replace(honest, both={"name": name, "flags": flags})
                yield f"{byte:#04x} {place} {flags:#x}", wheel_of(lie)


def _b3() -> Iterator[tuple[str, bytes]]:
    """Paths that are shortened, climb, or leave."""
    paths = ("..", ".", "../a", "./a", "a/.", "a/..", "a/./b", "a/../b", "a//b", "//a", "/a", "a/",
             "C:/a", "c:a", "\\a", "a\\b", "..\\a", "a/../../b", "~/a", "$HOME/a", "%2e%2e/a", "a.",
             "a ", " a", "a./b", "a /b", "CON", "con.py", "nul/x", "a\u202eb", "a\u200bb",
             "\ufeffa", "a\u2215b", "a\uff0fb")  # fmt: skip
    for path in paths:
        for order in ("before", "behind"):
            members = [good(path), good()] if order == "before" else [good(), good(path)]
            yield f"{path!a} {order}", wheel_of(*members)


def _b4() -> Iterator[tuple[str, bytes]]:
    """Letter case and normal forms."""
    pairs = (("A", "a"), ("ß", "SS"), ("é", "e\u0301"), ("ﬁ", "fi"), ("İ", "i\u0307"), ("K", "k"),
             ("Ω", "Ω"), ("Å", "Å"), ("가", "가"), ("ǆ", "ǅ"))  # fmt: skip
    for one, other in pairs:
        for pattern in ("demo/{}.py", "{}/x.py", "demo/{}"):
            first, second = pattern.format(one), pattern.format(other)
            yield f"{first!a} {second!a}", wheel_of(good(first), good(second, b"2"))


def _c1() -> Iterator[tuple[str, bytes]]:
    """Local headers that the directory does not know, and bytes between the members."""
    fillers = (
        b"x",
        b"\0",
        b"PK\x03\x04",
        b"PK\x01\x02",
        b"PK\x07\x08",
        write_zip([good("in.py")]),
        b"\0" * 4096,
    )
    for filler in fillers:
        title = f"{filler[:4].hex()} of {len(filler)}"
        yield f"prefix {title}", wheel_of(good(), prefix=filler)
        yield f"gap {title}", wheel_of(replace(good(), gap=filler))
        yield f"before directory {title}", wheel_of(good(), before_directory=filler)
        yield f"after directory {title}", wheel_of(good(), after_directory=filler)
        yield f"comment {title}", wheel_of(good(), comment=filler)
        yield f"behind {title}", wheel_of(good(), trailing=filler)
    for where in ("first", "last"):
        hidden = replace(good("demo/hidden.py"), hidden=True)
        members = [hidden, good()] if where == "first" else [good(), hidden]
        yield f"hidden {where}", wheel_of(*members)


def _c2() -> Iterator[tuple[str, bytes]]:
    """Several end records."""
    one, other = wheel_of(good()), wheel_of(good(data=b"import os\n"))
    end = one[-22:]
    for first, second in ((one, other), (other, one), (one, one), (one, end), (end, one)):
        for filler in (b"", b"\0", b"x" * 8):
            yield f"{len(first)}+{len(filler)}+{len(second)}", first + filler + second
    for comment in (end, end + b"\0", b"\0" + end, other, other[-200:], end * 3):
        for claim in (None, 0, len(comment) - 22, len(comment) + 1):
            lie = {} if claim is None else {"comment_bytes": max(claim, 0)}
            yield (
                f"comment {len(comment)} claims {claim}",
                wheel_of(good(), comment=comment, end=lie),
            )


def _c3() -> Iterator[tuple[str, bytes]]:
    """What the end record says of the directory."""
    for field in ("disk", "start_disk", "here", "total"):
        for value in (0, 1, 2, 3, 4, 5, 8, 0xFFFE, 0xFFFF):
            yield f"{field} {value}", wheel_of(good(), end={field: value})
    whole = wheel_of(good())
    (at,) = struct.unpack_from("<I", whole, len(whole) - 6)
    for field in ("directory_bytes", "directory_offset"):
        for value in (0, 1, at - 1, at + 1, at + 46, len(whole), 0x7FFFFFFF, 0xFFFFFFFF):
            yield f"{field} {value}", wheel_of(good(), end={field: value})
    for offset in (0, 1, 30, at, len(whole), 0xFFFFFFFE):
        second = replace(good("demo/b.py"), central={"offset": offset})
        yield f"member at {offset}", wheel_of(good(), second)


def _c4() -> Iterator[tuple[str, bytes]]:
    """Data descriptors: what reading in one pass finds."""
    for method in (0, 8):
        for signature in (True, False):
            for extended in (True, False):
                member = streamed(
                    replace(good(), method=method), signature=signature, extended=extended
                )
                title = f"{method} {signature} {extended}"
                yield f"honest {title}", wheel_of(member)
                yield f"missing {title}", wheel_of(replace(member, descriptor=b""))
                yield f"twice {title}", wheel_of(replace(member, descriptor=member.descriptor * 2))
                for field in ("crc32", "compressed", "uncompressed"):
                    lie = descriptor(good(), signature=signature, extended=extended, **{field: 7})
                    yield f"{field} {title}", wheel_of(replace(member, descriptor=lie))
                for local in ({"crc32": 7}, {"compressed": 7}, {"uncompressed": 7}):
                    liar = replace(member, local={**member.local, **local})
                    yield f"{next(iter(local))} before {title}", wheel_of(liar)


def _c5() -> Iterator[tuple[str, bytes]]:
    """The zip64 end record and its locator."""
    sentinels = {"here": 0xFFFF, "total": 0xFFFF, "directory_bytes": 2**32 - 1,
                 "directory_offset": 2**32 - 1}  # fmt: skip
    wide = ("here", "total", "directory_bytes", "directory_offset", "length", "locator_offset")
    narrow = ("disk", "start_disk", "locator_disk", "disks")
    lies: list[dict[str, int]] = [{}]
    lies += [{field: v} for field in wide for v in (0, 1, 2, 3, 4, 44, 45, 2**31, 2**63)]
    lies += [{field: v} for field in narrow for v in (0, 1, 2, 2**31)]
    for lie in lies:
        for name, end in (("honest", {}), ("sentinels", sentinels)):
            yield f"{lie} {name}", wheel_of(good(), zip64=True, end=end, end64=lie)
