"""What is remembered of a project's dependencies, when it holds, and how it heals."""

import os
import shutil
import time
import zipfile
from pathlib import Path

import pytest
from support.build_world import SETTLING_SECONDS, BuildWorld, make_wheels, write_project
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel


def edit_code(world: BuildWorld, text: str) -> None:
    """Change the handler, so that the answer cannot simply be said again."""
    world.write("app.py", f"def handler(event, context):\n    return {text!r}\n")


def resolved(stderr: str) -> bool:
    return "locked" in stderr


def versions(world: BuildWorld) -> dict[str, str]:
    return {d["name"]: d["version"] for d in world.manifest["distributions"]}


def store_files(world: BuildWorld, kind: str) -> list[Path]:
    return sorted(path for path in (world.lpack.store / "v1" / kind).rglob("*") if path.is_file())


def test_a_change_of_code_resolves_nothing(lone_world: BuildWorld) -> None:
    assert resolved(lone_world.build().stderr)
    edit_code(lone_world, "new")
    assert not resolved(lone_world.build(env={"PATH": "/nonexistent"}).stderr)
    with zipfile.ZipFile(lone_world.zip) as archive:
        assert b"new" in archive.read("app.py")


def test_a_touched_requirements_file_keeps_the_memory(lone_world: BuildWorld) -> None:
    lone_world.build()
    time.sleep(SETTLING_SECONDS)
    os.utime(lone_world.project / "requirements.txt")
    assert not resolved(lone_world.build().stderr)


def test_a_copied_project_keeps_the_lock(lone_world: BuildWorld, tmp_path: Path) -> None:
    lone_world.build()
    shutil.copytree(lone_world.project, tmp_path / "copy")
    copy = BuildWorld(
        project=tmp_path / "copy", index_url=lone_world.index_url, lpack=lone_world.lpack
    )
    assert not resolved(copy.build().stderr)


def test_a_changed_requirement_is_another_set(lone_world: BuildWorld) -> None:
    lone_world.build()
    lone_world.write("requirements.txt", "beta\n")
    lone_world.build()
    assert versions(lone_world).keys() == {"beta", "gamma"}
    lone_world.write("requirements.txt", "alpha\n")
    # The first set is still known by its content.
    assert not resolved(lone_world.build().stderr)
    assert "alpha" in versions(lone_world)


def test_an_edit_during_the_build_is_not_lost(lone_world: BuildWorld) -> None:
    # A slow index: the file changes after it was read and before the build ends.
    import subprocess  # noqa: PLC0415 -- this test alone
    import sys  # noqa: PLC0415 -- this test alone

    started = subprocess.Popen(
        [sys.executable, "-m", "packager", "build", "--index-url", lone_world.index_url],
        cwd=lone_world.project,
        env=lone_world.lpack.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stderr is not None
    line = started.stderr.readline()
    assert resolved(line), line
    lone_world.write("requirements.txt", "beta\n")
    started.communicate()
    assert started.returncode == 0
    lone_world.build()
    assert "alpha" not in versions(lone_world)


@pytest.mark.parametrize("damage", ["deleted", "cut", "flipped", "all of them", "the whole store"])
def test_the_store_heals(lone_world: BuildWorld, damage: str) -> None:
    lone_world.build()
    edit_code(lone_world, "new")
    lone_world.build()
    good = lone_world.zip.read_bytes()
    payloads = store_files(lone_world, "payloads")
    assert len(payloads) >= 4
    # All are spoilt, because the ones that the runtime has are not looked at.
    for payload in payloads:
        data = bytearray(payload.read_bytes())
        match damage:
            case "deleted":
                payload.unlink()
            case "cut":
                payload.write_bytes(data[:-1])
            case "flipped":
                data[len(data) // 2] ^= 1
                payload.write_bytes(data)
            case "all of them":
                payload.write_bytes(b"")
            case _:
                shutil.rmtree(lone_world.lpack.store, ignore_errors=True)
                break
    lone_world.zip.unlink()
    done = lone_world.build()
    assert lone_world.zip.read_bytes() == good
    warned = done.stderr.count("a payload in the store was damaged")
    # Only a payload of the right size has to be read to be found out.
    assert warned == (4 if damage == "flipped" else 0)
    edit_code(lone_world, "newer")
    assert "warning" not in lone_world.build().stderr


def test_a_damaged_document_is_no_answer(lone_world: BuildWorld) -> None:
    lone_world.build()
    good = lone_world.zip.read_bytes()
    for kind in ("pointers", "dependencies", "admitted", "locks", "stamps"):
        for path in store_files(lone_world, kind):
            path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    lone_world.zip.unlink()
    lone_world.build()
    assert lone_world.zip.read_bytes() == good


def test_frozen_without_memory_is_refused(lone_world: BuildWorld) -> None:
    done = lone_world.run("--frozen")
    assert done.exit_code == 2, done.explain()
    assert "error:" in done.stderr
    assert "hint:" in done.stderr
    assert not lone_world.zip.exists()
    lone_world.build()
    lone_world.build("--frozen")


def test_offline_with_everything_in_the_store(lone_world: BuildWorld) -> None:
    lone_world.build()
    good = lone_world.zip.read_bytes()
    lone_world.zip.unlink()
    edit_code(lone_world, "1")
    lone_world.build("--offline")
    write_project(lone_world.project)
    lone_world.build("--offline")
    assert lone_world.zip.read_bytes() == good
    # Also when the requirements are locked and the wheels are there, but nothing was put together.
    for kind in ("pointers", "dependencies", "payloads", "admitted"):
        shutil.rmtree(lone_world.lpack.store / "v1" / kind)
    lone_world.zip.unlink()
    lone_world.build("--offline")
    assert lone_world.zip.read_bytes() == good


def test_offline_without_anything_is_refused(lone_world: BuildWorld) -> None:
    done = lone_world.run("--offline", env={"UV_CACHE_DIR": str(lone_world.lpack.home / "uv")})
    assert done.exit_code == 3, done.explain()
    assert "Traceback" not in done.stderr
    assert not lone_world.zip.exists()


def test_upgrade_looks_for_newer(tmp_path: Path, lpack: LpackRunner) -> None:
    write_project(tmp_path / "project")
    make_wheels(tmp_path / "wheels")
    with IndexServer([tmp_path / "wheels"]) as index:
        world = BuildWorld(project=tmp_path / "project", index_url=index.url, lpack=lpack)
        world.build()
        index.add(build_wheel(tmp_path / "wheels", "beta", "1.3", requires=["gamma>=2"]))
        edit_code(world, "x")
        world.build()
        assert versions(world)["beta"] == "1.2"
        # Neither a lost pointer nor a lost set makes it look for newer.
        for kind in ("pointers", "dependencies"):
            shutil.rmtree(lpack.store / "v1" / kind)
        world.build()
        assert versions(world)["beta"] == "1.2"
        # uv keeps answers of the index for ten minutes.
        shutil.rmtree(lpack.home / ".cache", ignore_errors=True)
        world.build("--upgrade")
        assert versions(world)["beta"] == "1.3"
        edit_code(world, "y")
        world.build()
        assert versions(world)["beta"] == "1.3"


def test_a_local_project_is_looked_at_again(lone_world: BuildWorld) -> None:
    lone_world.write(
        "lib/pyproject.toml",
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'lib'\nversion = '1'\n",
    )
    lone_world.write("lib/lib.py", "VALUE = 1\n")
    lone_world.write("lib/backend.py", BACKEND)
    lone_world.write("requirements.txt", "./lib\n")
    lone_world.build("--allow-sdist", "lib")
    with zipfile.ZipFile(lone_world.zip) as archive:
        assert archive.read("lib.py") == b"VALUE = 1\n"
    path = lone_world.project / "lib/lib.py"
    status = path.stat()
    path.write_text("VALUE = 2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    lone_world.build("--allow-sdist", "lib")
    with zipfile.ZipFile(lone_world.zip) as archive:
        assert archive.read("lib.py") == b"VALUE = 2\n"


BACKEND = """
import base64, hashlib, pathlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "lib-1-py3-none-any.whl"
    files = {
        "lib.py": pathlib.Path("lib.py").read_bytes(),
        "lib-1.dist-info/METADATA": b"Metadata-Version: 2.1\\nName: lib\\nVersion: 1\\n",
        "lib-1.dist-info/WHEEL":
            b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    rows = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows += f"{path},sha256={digest},{len(data)}\\n"
    files["lib-1.dist-info/RECORD"] = (rows + "lib-1.dist-info/RECORD,,\\n").encode()
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return name
"""
