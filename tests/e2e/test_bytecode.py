"""Bytecode through the real command: what it adds, that it is used, and when it is refused."""

import sys
import zipfile
from pathlib import Path

import pytest
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

HERE = f"python{sys.version_info[0]}.{sys.version_info[1]}"
CACHE_TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
UNCHECKED_HASH = 1


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text("import tree\n\ndef handler(event, context):\n    return 1\n")
    (folder / "requirements.txt").write_text("tree\n")
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    files = {f"tree/m{n}.py": b"VALUE = 1\n" * 200 for n in range(20)}
    build_wheel(folder, "tree", "1.0", files={"tree/__init__.py": b"LEAF = 1\n", **files})
    return folder


def build(lpack: LpackRunner, project: Path, index: Path, *arguments: str) -> dict[str, bytes]:
    with IndexServer([index]) as server:
        lpack.ok("build", "--index-url", server.url, *arguments, cwd=project)
    [path] = (project / "dist").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pycs(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name.endswith(".pyc")}


def test_every_module_has_bytecode_that_needs_no_date(
    lpack: LpackRunner, project: Path, index: Path
) -> None:
    found = pycs(build(lpack, project, index, "--runtime", HERE, "--bytecode", "1 MiB"))
    assert len(found) == 21
    assert f"tree/__pycache__/__init__.{CACHE_TAG}.pyc" in found
    assert {int.from_bytes(data[4:8], "little") for data in found.values()} == {UNCHECKED_HASH}
    lpack.ok("verify", "--no-import", cwd=project)


def test_the_budget_holds_and_the_root_comes_first(
    lpack: LpackRunner, project: Path, index: Path
) -> None:
    everything = pycs(build(lpack, project, index, "--runtime", HERE, "--bytecode", "1 MiB"))
    whole = sum(map(len, everything.values()))
    some = pycs(build(lpack, project, index, "--runtime", HERE, "--bytecode", str(whole // 2)))
    assert 0 < sum(map(len, some.values())) <= whole // 2
    assert f"tree/__pycache__/__init__.{CACHE_TAG}.pyc" in some
    assert some.items() < everything.items()
    assert pycs(build(lpack, project, index, "--runtime", HERE)) == {}


def test_without_the_targets_python_there_is_no_bytecode(
    lpack: LpackRunner, project: Path, index: Path
) -> None:
    with IndexServer([index]) as server:
        arguments = ["--index-url", server.url, "--runtime", "python3.14", "--bytecode", "1 MiB"]
        environment = {"PATH": "/nonexistent"}
        done = lpack.run("build", *arguments, cwd=project, env=environment)
    assert done.exit_code == 2
    assert "bytecode for python3.14 needs Python 3.14, and there is none here" in done.stderr
    assert "hint: uv python install 3.14" in done.stderr
    assert not (project / "dist").exists()


def test_a_size_that_is_none(lpack: LpackRunner, project: Path) -> None:
    done = lpack.run("build", "--bytecode", "much", cwd=project)
    assert done.exit_code == 2
    assert "`--bytecode` is `much`, not a size" in done.stderr
