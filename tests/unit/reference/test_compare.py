"""What counts as a difference, of files and of manifests."""

import base64
import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from support.wheel_builder import build_wheel

from packager.errors import CannotBuild
from packager.reference.compare import differences, in_order
from packager.reference.file_map import FileFact, FileMap, map_of_zip, member_of, regular
from packager.reference.manifests import manifest_differences
from packager.reference.wheel_files import WheelFiles, open_wheel

FILE = FileFact(regular(executable=False), "a" * 64)


@pytest.mark.parametrize(
    ("expected", "shipped", "kinds"),
    [
        ({"a": FILE}, {"a": FILE}, []),
        ({"a": FILE}, {}, ["missing"]),
        ({}, {"a": FILE}, ["extra"]),
        ({"a": FILE}, {"a": FILE._replace(sha256="b" * 64)}, ["bytes"]),
        ({"a": FILE}, {"a": FILE._replace(mode=regular(executable=True))}, ["mode"]),
        ({"a": FILE}, {"a": FILE._replace(mode=0o120644)}, ["mode"]),
        ({"a": FILE}, {"a": FileFact(0, "b" * 64)}, ["bytes", "mode"]),
    ],
)
def test_differences(
    expected: dict[str, FileFact], shipped: dict[str, FileFact], kinds: list[str]
) -> None:
    found = differences(FileMap(expected), FileMap(shipped))
    assert [each.kind for each in found] == kinds
    assert all(each.path == "a" for each in found)


def test_the_order_is_told_apart() -> None:
    one, two = FileMap({"a": FILE, "b": FILE}), FileMap({"b": FILE, "a": FILE})
    assert differences(one, two) == []
    assert in_order(one, one)
    assert not in_order(one, two)


def test_a_zip_is_read_with_types_and_repeated_names(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member_of("link", 0o120777), "target")
        archive.writestr(member_of("a", regular(executable=True)), "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(member_of("a", regular(executable=True)), "2")
    found = map_of_zip(path)
    assert found.repeated == ("a",)
    assert found.files["link"].mode == 0o120777
    assert found.files["a"].mode == 0o100755
    [repeated, *_] = differences(FileMap(dict(found.files)), found)
    assert repeated.kind == "repeated"


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\5\6"])
def test_what_is_no_zip_is_refused_by_name(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(CannotBuild, match=r"a\.zip"):
        map_of_zip(path)


def test_a_wheel_is_laid_out_as_an_installer_would(tmp_path: Path) -> None:
    files = {
        "one/__init__.py": b"",
        "one-1.0.data/purelib/side.py": b"S = 1\n",
        "one-1.0.data/data/share/x": b"x",
        "one-1.0.data/scripts/run": b"#!python\n",
        "one-1.0.data/headers/one.h": b"h",
    }
    path = build_wheel(tmp_path, "one", "1.0", files=files, executables=["one/__init__.py"])
    with zipfile.ZipFile(path) as archive:
        wheel = WheelFiles(archive)
        own = {f"one-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD")}
        assert {*wheel.names} == {"one/__init__.py", "side.py", "share/x"} | own
        assert wheel.moved
        assert wheel.executable("one/__init__.py")
        assert not wheel.executable("side.py")
        record = wheel.record_of({"side.py": None, "one/__init__.py": b"new"}).decode()
    assert record.splitlines() == [
        f"one/__init__.py,sha256={_hash(b'new')},3",
        f"side.py,sha256={_hash(files['one-1.0.data/purelib/side.py'])},6",
        "one-1.0.dist-info/RECORD,,",
    ]


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def test_a_wheel_with_another_digest_is_refused(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "one", "1.0")
    with (
        pytest.raises(CannotBuild, match="`one` in the store has other bytes"),
        open_wheel(path, sha256="0" * 64, named="one"),
    ):
        pass


@pytest.mark.parametrize(
    ("shipped", "paths"),
    [
        ({"lpack": "1", "distributions": [{"name": "a", "version": "1"}]}, []),
        ({"lpack": "2", "distributions": [{"name": "a", "version": "1"}]}, ["lpack"]),
        (
            {"lpack": "1", "distributions": [{"name": "a", "version": "2"}]},
            ["distributions[a].version"],
        ),
        ({"lpack": "1", "distributions": []}, ["distributions"]),
        (
            {"lpack": "1", "distributions": [{"name": "a", "version": "1"}], "x": 1},
            ["x"],
        ),
        ([], [""]),
    ],
)
def test_what_differs_in_a_manifest_is_named(shipped: object, paths: list[str]) -> None:
    expected = {"lpack": "1", "distributions": [{"name": "a", "version": "1"}]}
    one, two = (json.dumps(each).encode() for each in (expected, shipped))
    assert [each.path for each in manifest_differences(one, two, loose=False)] == paths


def test_wheels_built_here_may_have_other_digests() -> None:
    one, two = (
        json.dumps({"distributions": [{"name": "a", "wheel_sha256": digest}]}).encode()
        for digest in "12"
    )
    assert [*manifest_differences(one, two, loose=True)] == []
    assert len([*manifest_differences(one, two, loose=False)]) == 1
    assert [each.kind for each in manifest_differences(one, b"{", loose=False)] == ["bytes"]
