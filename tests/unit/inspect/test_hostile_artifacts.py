"""Artifacts made to mislead or to exhaust end in one line, quickly; odd ones are read."""

import os
import struct
import zipfile
from pathlib import Path

import pytest
from support.image_layout import layer_tar, write_layout
from support.raw_zip import RawMember, write_zip

from packager.errors import UsageError
from packager.inspect.opening import open_artifact
from packager.pipeline.inspection import inspect_artifact


def member(name: str = "a.py", data: bytes = b"x = 1\n", **lies: int | bytes) -> RawMember:
    return RawMember(name=name, data=data, both=lies)


GOOD = write_zip([member()])
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty file": (b"", "not a zip"),
    "text": (b"hello\n" * 99, "not a zip"),
    "no member": (write_zip([]), "there is no file in it"),
    "cut off": (GOOD[:-30], "not a zip"),
    "parent": (write_zip([member("../evil.py")]), "leads out"),
    "absolute": (write_zip([member("/etc/passwd")]), "leads out"),
    "backslash": (write_zip([member("..\\evil.py")]), "leads out"),
    "nul": (write_zip([RawMember(name="x", data=b"", both={"name": b"a\0b"})]), "leads out"),
    "long name": (write_zip([member("a" * 5000)]), "longer than any path"),
    "volumes": (write_zip([member()], end={"disk": 3}), "several volumes"),
    "count": (write_zip([member()], end={"here": 9, "total": 9}), "9 files"),
    "directory size": (write_zip([member()], end={"directory_bytes": 2**31}), "is refused"),
    "directory offset": (write_zip([member()], end={"directory_offset": 2**31}), "is not where"),
    "magic": (GOOD.replace(b"PK\x01\x02", b"PK\x01\x03"), "malformed"),
    "overlap": (
        write_zip([member("a"), RawMember(name="b", data=b"x" * 99, central={"offset": 0})]),
        "overlaps",
    ),
    "huge stream": (write_zip([member(compressed=2**31)]), "overlaps"),
    "beyond the end": (write_zip([member(offset=2**30)]), "overlaps"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(name: str, tmp_path: Path) -> None:
    data, reason = REFUSED[name]
    path = tmp_path / "f.zip"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=reason) as caught:
        inspect_artifact(path)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        inspect_artifact(tmp_path / "nothing.zip")


def test_odd_zips_are_read(tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    members = [
        member("a.py"), member("a.py", b"other"), member("d/"), member("é.py"),
        RawMember(name="l", data=b"a.py", both={"attributes": 0o120777 << 16}),
        RawMember(name="enc", data=b"x", both={"flags": 1}),
        RawMember(name="bz", data=b"x", both={"method": 12}),
    ]  # fmt: skip
    path.write_bytes(write_zip(members, prefix=b"#!/usr/bin/env python3\n", comment=b"note"))
    with open_artifact(path) as opened:
        found = opened.found
        assert [code for code, _, _ in found.oddities] == [
            "twice", "symlink", "encrypted", "method",
        ]  # fmt: skip
        for file in found.files[-2:]:
            with pytest.raises(OSError, match="encrypted or of method"):
                opened.read(file)
        assert opened.read(found.files[0]) == b"x = 1\n"


def test_a_program_in_front_moves_the_offsets(tmp_path: Path) -> None:
    path = tmp_path / "f.pex"
    path.write_bytes(b"#!/usr/bin/env python3\n" + GOOD)
    with open_artifact(path) as opened:
        assert opened.read(opened.found.files[0]) == b"x = 1\n"
        assert opened.found.oddities[0][0] == "prefix"
        assert opened.found.overhead_bytes == 22 + 23


def test_streams_that_lie_give_no_more_than_stated(tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    bomb = RawMember(name="b", data=b"\0" * 2**24, central={"uncompressed": 10})
    short = RawMember(name="s", data=b"x", central={"uncompressed": 2**30})
    damaged = RawMember(name="d", data=b"x" * 99, stream=b"\xff" * 50)
    path.write_bytes(write_zip([bomb, short, damaged]))
    with open_artifact(path) as opened:
        files = {file.path: file for file in opened.found.files}
        assert len(opened.read(files["b"])) == 10
        for name in ("s", "d"):
            with pytest.raises(OSError, match=r"shorter|damaged|early"):
                opened.read(files[name])


def test_zip64_sizes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("a", "w", force_zip64=True) as stream:
        stream.write(b"x" * 1000)
    wide = tmp_path / "w.zip"
    extra = struct.pack("<2HQ", 1, 8, 6)
    wide.write_bytes(write_zip([member(uncompressed=0xFFFFFFFF, extra=extra)], zip64=True))
    assert inspect_artifact(path)["artifact"]["uncompressed_bytes"] == 1000
    assert inspect_artifact(wide)["artifact"]["uncompressed_bytes"] == 6


INDEXES = {
    "no json": "{",
    "no manifests": "{}",
    "empty manifests": '{"manifests": []}',
    "digest leads out": '{"manifests": [{"digest": "sha256:../../../etc/passwd"}]}',
    "blob is not there": '{"manifests": [{"digest": "sha256:00"}]}',
    "deep json": "[" * 100_000,
}


@pytest.mark.parametrize("name", INDEXES)
def test_broken_images_are_one_line(name: str, tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "layout", [layer_tar({"var/task/a.py": b"1"})])
    (layout / "index.json").write_text(INDEXES[name])
    with pytest.raises(UsageError, match="not an image that can be read"):
        inspect_artifact(layout)


def test_damaged_layers_are_one_line(tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "layout", [layer_tar({"var/task/a.py": os.urandom(9_999)})])
    blob = max((layout / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    for damaged in (blob.read_bytes()[:-40], b"not a layer at all" * 99):
        blob.write_bytes(damaged)
        with pytest.raises(UsageError, match="layer"):
            inspect_artifact(layout)


def test_names_in_layers_cannot_lead_out(tmp_path: Path) -> None:
    tar = layer_tar({"../../etc/shadow": b"1", "/var/task/../task/a.py": b"2", "./opt/b": b"3"})
    manifest = inspect_artifact(write_layout(tmp_path / "layout", [tar]))
    assert {row[0] for row in manifest["code"]["files"]} == {"var/task/a.py", "opt/b"}
