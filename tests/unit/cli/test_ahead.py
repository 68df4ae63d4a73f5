"""What is begun before lpack is loaded: the same bytes, less work, and nothing left of it."""

import fcntl
import hashlib
import json
import os
import random
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.build_world import SETTLING_SECONDS, BuildWorld, write_project
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="files are retired on Linux only")
DATA = random.Random(8).randbytes(5_000_000)  # noqa: S311 -- no secret


@pytest.fixture(scope="module")
def large_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    wheel = build_wheel(
        tmp_path_factory.mktemp("large"), "large", "1.0", files={"large/data.bin": DATA}
    )
    with IndexServer([wheel]) as index:
        yield index


@pytest.fixture
def large(tmp_path: Path, large_index: IndexServer, lpack: LpackRunner) -> BuildWorld:
    """A project with a zip worth keeping, built; its store is on the same disk."""
    if not leases_work(tmp_path):
        pytest.skip("the file system of the tests has no leases: nothing is retired there")
    write_project(tmp_path / "project")
    made = BuildWorld(project=tmp_path / "project", index_url=large_index.url, lpack=lpack)
    made.write("requirements.txt", "large\n")
    (made.project / "dist").mkdir()
    made.settle()
    return made


def leases_work(folder: Path) -> bool:
    with (folder / "leased").open("wb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError:
            return False
    return True


def edit(world: BuildWorld, number: int) -> None:
    world.write("app.py", f"def handler(event, context):\n    return {number}\n")
    time.sleep(SETTLING_SECONDS)


def rebuilt(world: BuildWorld, number: int) -> str:
    """Build after an edit, hold the zip against what it must be, and return its digest."""
    edit(world, number)
    world.build()
    left = {path.name for path in (world.project / "dist").iterdir()}
    assert left == {"api.zip", "api.lpack.json"}
    with zipfile.ZipFile(world.zip) as archive:
        assert archive.testzip() is None
        assert f"return {number}".encode() in archive.read("app.py")
        assert archive.read("large/data.bin") == DATA
    digest = hashlib.sha256(world.zip.read_bytes()).hexdigest()
    assert world.manifest["artifact"]["sha256"] == digest
    return digest


def retired(world: BuildWorld) -> list[Path]:
    return list(world.lpack.store.glob("v1/retired/*/*"))


def test_two_files_take_turns(large: BuildWorld) -> None:
    first = large.zip.stat().st_ino
    one = rebuilt(large, 1)
    second = large.zip.stat().st_ino
    assert [path.stat().st_ino for path in retired(large)] == [first]
    rebuilt(large, 2)
    assert large.zip.stat().st_ino == first
    assert [path.stat().st_ino for path in retired(large)] == [second]
    assert rebuilt(large, 1) == one


def test_a_file_that_others_see_is_left_to_them(large: BuildWorld) -> None:
    keepsake = large.project / "keepsake.zip"
    os.link(large.zip, keepsake)
    kept = keepsake.read_bytes()
    rebuilt(large, 1)
    assert retired(large) == []
    with large.zip.open("rb") as reader:
        before = large.zip.read_bytes()
        rebuilt(large, 2)
        rebuilt(large, 3)
        assert reader.read() == before
    # A name that came later counts, too.
    (spare,) = retired(large)
    other = large.project / "other.zip"
    os.link(spare, other)
    held = other.read_bytes()
    rebuilt(large, 4)
    assert other.read_bytes() == held
    assert keepsake.read_bytes() == kept


def test_an_artifact_that_others_changed_is_not_kept(large: BuildWorld) -> None:
    with large.zip.open("ab") as file:
        file.write(b"signed")
    rebuilt(large, 1)
    assert retired(large) == []
    large.zip.chmod(0o600)
    rebuilt(large, 2)
    assert retired(large) == []
    assert large.zip.stat().st_mode & 0o777 != 0o600


def test_a_kept_file_that_was_damaged_is_noticed(large: BuildWorld) -> None:
    rebuilt(large, 1)
    (spare,) = retired(large)
    with spare.open("r+b") as file:
        file.seek(2_000_000)
        file.write(b"damage")
    rebuilt(large, 2)
    rebuilt(large, 3)


def test_other_requirements_end_what_was_begun(large: BuildWorld) -> None:
    rebuilt(large, 1)
    assert len(retired(large)) == 1
    edit(large, 2)
    large.write("requirements.txt", "")
    time.sleep(SETTLING_SECONDS)
    large.build()
    assert {path.name for path in (large.project / "dist").iterdir()} == {
        "api.zip",
        "api.lpack.json",
    }
    with zipfile.ZipFile(large.zip) as archive:
        assert archive.namelist() == ["app.py", "pkg/__init__.py", "pkg/helper.py"]
    assert retired(large) == []


def test_a_refused_build_leaves_nothing(large: BuildWorld) -> None:
    before = large.zip.read_bytes()
    large.write("app.py", "def other(event, context):\n    return 1\n")
    time.sleep(SETTLING_SECONDS)
    done = large.run()
    assert done.exit_code == 2, done.explain()
    assert {path.name for path in (large.project / "dist").iterdir()} == {
        "api.zip",
        "api.lpack.json",
    }
    assert large.zip.read_bytes() == before
    rebuilt(large, 2)


def test_two_functions_of_the_same_payloads_do_not_get_one_file(large: BuildWorld) -> None:
    path = large.project / "pyproject.toml"
    more = '[tool.lpack.functions.other]\nhandler = "app.handler"\nsource = ["app.py"]\n'
    path.write_text(f"{path.read_text()}\n{more}")
    time.sleep(SETTLING_SECONDS)
    large.settle()
    for number in (1, 2, 3):
        edit(large, number)
        large.build("--jobs", "2")
        for name in ("api", "other"):
            artifact = large.project / "dist" / f"{name}.zip"
            told = json.loads(artifact.with_suffix(".lpack.json").read_text())
            assert hashlib.sha256(artifact.read_bytes()).hexdigest() == told["artifact"]["sha256"]
            with zipfile.ZipFile(artifact) as archive:
                assert archive.testzip() is None
                assert f"return {number}".encode() in archive.read("app.py")


def test_a_lease_tells_who_reads(tmp_path: Path) -> None:
    """What all of this stands on: fcntl(2) refuses a lease while the file is open elsewhere."""
    if not leases_work(tmp_path):
        pytest.skip("the file system of the tests has no leases")
    path = tmp_path / "file"
    path.write_bytes(b"x")
    with path.open("r+b") as mine:
        fcntl.fcntl(mine, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(mine, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        with path.open("rb"), pytest.raises(BlockingIOError):
            fcntl.fcntl(mine, fcntl.F_SETLEASE, fcntl.F_WRLCK)
