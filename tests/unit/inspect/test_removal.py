"""Commands that take exactly the named files away, tried with the real shell and the real zip."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from packager.inspect.opening import open_artifact
from packager.inspect.removal import Remover

NAMES = (
    "a/x.py", "a/y.pyi", "a/b/z.pyi", "a/b/w.py", "tests/t1.py", "tests/deep/t2.py", "top.py",
    "app/tests/keep.py", "with space/s.txt", "a/data.json", "c/data.json",
)  # fmt: skip


@pytest.mark.parametrize(
    "wanted",
    [
        {"a/y.pyi", "a/b/z.pyi"},
        {"tests/t1.py", "tests/deep/t2.py"},
        {"a/data.json"},
        {"top.py", "a/b/w.py", "a/b/z.pyi"},
        {"with space/s.txt"},
        {name for name in NAMES if name.startswith("a/")},
    ],
    ids=len,
)
@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_the_shell_removes_exactly_these(tmp_path: Path, kind: str, wanted: set[str]) -> None:
    if kind == "zip" and shutil.which("zip") is None:
        pytest.skip("`zip` is not installed")
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        for name in NAMES:
            archive.writestr(name, name)
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "f.zip") as archive:
        archive.extractall(tmp_path / "folder")
    path = tmp_path / ("f.zip" if kind == "zip" else "folder")
    with open_artifact(path) as opened:
        command = Remover(opened.found, path.name).command(wanted)
    assert command is not None
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    with open_artifact(path) as opened:
        assert {file.path for file in opened.found.files} == set(NAMES) - wanted


@pytest.mark.parametrize("name", ["it's.py", "$(touch x).py", "a[b].py", "né.py\n", "-rf.py;x"])
def test_names_that_a_shell_would_read_otherwise(tmp_path: Path, name: str) -> None:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
        archive.writestr("other.py", b"x")
    with open_artifact(path) as opened:
        assert Remover(opened.found, "f.zip").command([name]) is None
        assert Remover(opened.found, "my file; rm.zip").command(["other.py"]) is None
