import os
import stat
import zipfile
from pathlib import Path

import pytest

from packager.errors import CannotBuild
from packager.verify.unpacking import (
    FILE_DATE,
    changes_below,
    make_read_only,
    remove_tree,
    unpack,
)


def archive(path: Path, *entries: tuple[str, int, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name, mode, data in entries:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            opened.writestr(info, data)
    return path


def test_files_are_as_in_lambda(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "x.zip",
        ("a/b.py", 0o100644, b"x = 1\n"),
        ("bin/tool", 0o100755, b"#!"),
        ("a/", 0o40755, b""),
        ("plain", 0, b""),
    )
    task = tmp_path / "task"
    names = unpack(path, task)
    assert names == {"a/b.py", "bin/tool", "plain"}
    assert (task / "a/b.py").read_bytes() == b"x = 1\n"
    assert {(task / name).stat().st_mtime for name in names} == {FILE_DATE}
    modes = {name: stat.S_IMODE((task / name).stat().st_mode) & 0o777 for name in names}
    umask = os.umask(0)
    os.umask(umask)
    assert modes == {
        "a/b.py": 0o644 & ~umask,
        "bin/tool": 0o755 & ~umask,
        "plain": 0o644 & ~umask,
    }
    make_read_only(task)
    for place in (task, *task.rglob("*")):
        assert not stat.S_IMODE(place.stat().st_mode) & 0o222
    remove_tree(task)
    assert not task.exists()


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("../out", 0o100644),
        ("a/../../out", 0o100644),
        ("/out", 0o100644),
        ("a//b", 0o100644),
        ("./a", 0o100644),
        ("a\\b", 0o100644),
        ("link", 0o120777),
        ("pipe", 0o010644),
    ],
)
def test_what_leads_out_is_refused(name: str, mode: int, tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", (name, mode, b"../../out"))
    (tmp_path / "deep/er").mkdir(parents=True)
    with pytest.raises(CannotBuild, match=r"cannot unpack `x\.zip`"):
        unpack(path, tmp_path / "deep/er/task")
    assert not list(tmp_path.rglob("out"))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path / "x.zip", ("a", 0o100644, b"1"), ("a", 0o100644, b"2"))
    with pytest.raises(CannotBuild, match="is in it twice"):
        unpack(path, tmp_path / "task")


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("a", 0o100644, b"payload"))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"payload", b"pay!oad"))
    with pytest.raises(CannotBuild, match="Bad CRC-32"):
        unpack(path, tmp_path / "task")
    path.write_bytes(data[:20])
    with pytest.raises(CannotBuild, match="not a zip"):
        unpack(path, tmp_path / "other")


def test_changes_are_found(tmp_path: Path) -> None:
    names = [f"{name}.py" for name in "abcd"] + ["p/__pycache__/x.pyc", "q/y.py"]
    path = archive(tmp_path / "x.zip", *((name, 0o100644, b"") for name in names))
    task = tmp_path / "task"
    expected = unpack(path, task)
    assert changes_below(task, expected) == ()
    (task / "a.py").write_bytes(b"x")
    (task / "b.py").unlink()
    (task / "new").mkdir()
    (task / "new/file").write_bytes(b"")
    (task / "q/__pycache__").mkdir()
    (task / "q/__pycache__/y.pyc").write_bytes(b"")
    (task / "p/__pycache__/x.pyc").write_bytes(b"other")
    assert changes_below(task, expected) == ("a.py", "b.py", "new/file", "p/__pycache__/x.pyc")
