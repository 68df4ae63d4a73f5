"""Lies at the end of an archive and behind its members: Z7 and Z8 of the threat list."""

from collections.abc import Iterator
from dataclasses import replace

from support.demo_wheel import TEXT, Shape, good, streamed, wheel_of
from support.raw_zip import RawMember, deflate, descriptor, write_zip, zip64_extra


def refused_ends() -> Iterator[Shape]:
    """Every shape of Z7 and Z8 that must be refused."""
    for group in (_ends, _zip64, _descriptors):
        yield from group()


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
            wheel_of(RawMember(name="in.zip", data=inner, method=0), trailing=b"\0"),
            "it has a second end record",
        ),
        "an end at the start and NULs": (
            write_zip([]) + wheel_of(good(), trailing=b"\0"),
            "it has a second end record",
        ),
        "locator at the start": (write_zip([], zip64=True)[56:], "does not point at"),
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
    for sizes in ((size + 1, packed), (size, packed + 1), (size,), (size, packed, 0)):
        yield Shape(
            name=f"Z7 zip64 local {sizes} without sentinel",
            data=wheel_of(replace(good(), local={"extra": zip64_extra(*sizes)})),
            reason="does not fit its header",
        )
    other = full | {"extra": zip64_extra(size + 1, packed)}
    yield Shape(
        name="Z7 zip64 local lies",
        data=wheel_of(replace(good(), local=other)),
        reason="in its zip64 record",
    )


def _descriptors() -> Iterator[Shape]:
    member = streamed(good())
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
