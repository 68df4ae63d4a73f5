"""Archives that are sound while the wheel in them is not: W1 to W4 of the threat list."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from support.demo_wheel import FILE_NAME, INFO, TEXT, Shape, describing_members, good, wheel_of
from support.raw_zip import write_zip
from support.wheel_builder import record_hash, render_metadata, render_record_file


def refused_wheels() -> Iterator[Shape]:
    """Every shape of W1 to W4 that must be refused."""
    for group in (_records, _folders, _descriptions):
        yield from group()


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
        "deep data key": (data("demo-1.0.data/bin/demo/x"), "no kind", FILE_NAME),
        "two data folders": (
            wheel_of(good("demo-1.0.data/purelib/a.py"), good("Demo-1.0.data/purelib/b.py")),
            "another distribution's",
            FILE_NAME,
        ),
        "foreign data": (data("evil-1.0.data/purelib/x.py"), "another distribution's", FILE_NAME),
        "data without a version": (
            data("demo.data/purelib/x.py"),
            "another distribution's",
            FILE_NAME,
        ),
        "data of no version": (
            data("demo-x.data/purelib/x.py"),
            "another distribution's",
            FILE_NAME,
        ),
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


def _descriptions() -> Iterator[Shape]:
    """What describes a wheel is read as a whole, up to 32 MiB of each file."""
    payload = {"demo/__init__.py": TEXT}
    cases = {2**25: "unpacks to less than it states", 2**25 + 1: "is larger than 33554432 bytes"}
    for number, name in enumerate(("METADATA", "WHEEL", "RECORD")):
        for stated, reason in cases.items():
            members = describing_members(payload)
            members[number] = replace(members[number], both={"uncompressed": stated})
            data = write_zip([good(), *members])
            yield Shape(name=f"Z5 {name} of {stated} bytes", data=data, reason=reason)
