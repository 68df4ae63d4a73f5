"""Odd wheels that must be accepted, and read as zipfile reads them."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from support.demo_wheel import TEXT, Shape, good, streamed, wheel_of
from support.raw_zip import RawMember, unicode_extra, zip64_extra


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
    yield Shape(
        name="comment and NULs",
        data=wheel_of(member, comment=b"built", trailing=b"\0" * 3),
        reason="3 NUL bytes follow",
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
    sentinels: dict[str, int | bytes] = {
        "compressed": 2**32 - 1,
        "uncompressed": 2**32 - 1,
        "extra": both64,
    }
    yield Shape(name="zip64 sizes", data=wheel_of(replace(member, both=sentinels)))
    yield Shape(name="zip64 local sizes", data=wheel_of(replace(member, local=sentinels)))
    yield Shape(name="forced zip64", data=wheel_of(replace(member, local={"extra": both64})))
    for signature in (True, False):
        for extended in (True, False):
            yield Shape(
                name=f"descriptor signature={signature} extended={extended}",
                data=wheel_of(streamed(member, signature=signature, extended=extended)),
            )
    yield Shape(name="set-uid", data=wheel_of(replace(member, both={"attributes": 0o104755 << 16})))
    yield Shape(name="version 6.3", data=wheel_of(replace(member, both={"version": 63})))
    yield Shape(name="no mode", data=wheel_of(replace(member, both={"attributes": 0})))
    twins = wheel_of(good("demo/A.py"), good("demo/a.py"))
    yield Shape(name="case twins", data=twins, reason="`demo/A.py` and `demo/a.py`")
    triplets = wheel_of(good("demo/A.py"), good("demo/a.py"), good("DEMO/a.py"))
    yield Shape(name="three of one name", data=triplets, reason="`DEMO/a.py` and `demo/A.py`")
    accents = wheel_of(good("demo/\u00e9.py"), good("demo/e\u0301.py"))
    yield Shape(name="normal form twins", data=accents, reason="differ only in case or accents")
    yield Shape(name="device stem", data=wheel_of(good("demo/aux.py")), reason="`demo/aux.py`")
    yield Shape(name="not in offset order", data=_reversed_directory())
    empty = RawMember(name="demo/big.bin", data=bytes(3 * 2**20))
    yield Shape(name="several chunks", data=wheel_of(empty))
    noise = b"".join(struct.pack("<I", zlib.crc32(bytes([n % 251, n // 251]))) for n in range(9000))
    yield Shape(name="much noise", data=wheel_of(good(data=noise * 20)))


def _reversed_directory() -> bytes:
    """A central directory in another order than the members: legal, and Info-ZIP writes such."""
    first, second = good("demo/a.py"), good("demo/b.py")
    offset = 30 + len(first.name) + len(first.stored())
    a = replace(first, central={"name": b"demo/b.py", "offset": offset})
    b = replace(second, central={"name": b"demo/a.py", "offset": 0})
    return wheel_of(a, b)
