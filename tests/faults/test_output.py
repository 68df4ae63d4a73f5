"""A disk that is full, read-only or taken: one clear line, exit 3 or 2, nothing left behind."""

import functools
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

HANDLER = "def handler(event, context):\n    return {}\n"
MOUNTED = 'mount -t tmpfs -o "$0" tmpfs "$1" && folder=$1 && shift && { "$@"; code=$?; } && '
MOUNTED += 'find "$folder" -type f | sed "s/^/left: /" && exit $code'


@functools.cache
def mounts_refused() -> bool:
    """Whether this machine lets a test mount a small file system of its own."""
    if shutil.which("unshare") is None:
        return True
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode != 0


def write_project(folder: Path) -> Path:
    """A project whose one dependency holds a megabyte that does not compress."""
    project = folder / "project"
    project.mkdir()
    (project / "app.py").write_text(HANDLER)
    (project / "requirements.txt").write_text("beta\n")
    wheels = folder / "wheels"
    wheels.mkdir()
    noise = random.Random(7).randbytes(1_000_000)  # noqa: S311 -- filling, not a secret
    build_wheel(wheels, "beta", "1.0", files={"beta.py": b"", "beta.bin": noise})
    return project


def run_on(
    mount: Path, options: str, lpack: LpackRunner, project: Path, index: str
) -> subprocess.CompletedProcess[str]:
    """Build `project` with a file system mounted over the folder `mount`."""
    mount.mkdir(parents=True, exist_ok=True)
    command = ["unshare", "-rm", "sh", "-c", MOUNTED, options, str(mount)]
    command += [sys.executable, "-m", "packager", "build", "--runtime", "python3.13"]
    return subprocess.run(
        [*command, "--index-url", index],
        cwd=project,
        env=lpack.environment({"PATH": os.environ["PATH"]}),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("where", ["output", "store"])
@pytest.mark.parametrize("options", ["size=64k", "ro"], ids=["full", "read-only"])
def test_a_disk_that_takes_nothing(
    tmp_path: Path, lpack: LpackRunner, where: str, options: str
) -> None:
    if mounts_refused():
        pytest.skip("`unshare -rm mount` is not allowed here")
    project = write_project(tmp_path)
    mount = project / "dist" if where == "output" else lpack.store
    with IndexServer([tmp_path / "wheels"]) as index:
        done = run_on(mount, options, lpack, project, index.url)
    assert done.returncode == 3, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert ("no space left" in errors[0].lower()) is (options != "ro")
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    # A finished document in the store may stay: it is whole, and the next build uses it.
    wanted = "dist/" if where == "output" else r"(wheels/|payloads/|v1/tmp/)"
    left = [line for line in done.stdout.splitlines() if line.startswith("left: ")]
    assert [line for line in left if re.search(f"/{wanted}", line)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's /sys takes no folders, even from root")
def test_a_folder_that_cannot_be_made(tmp_path: Path, lpack: LpackRunner) -> None:
    project = write_project(tmp_path)
    with IndexServer([tmp_path / "wheels"]) as index:
        arguments = ["build", "--runtime", "python3.13", "--index-url", index.url]
        done = lpack.run(*arguments, "--target-dir", "/sys/lpack", cwd=project)
    assert done.exit_code == 3, done.explain()
    assert "/sys/lpack" in done.stderr
    assert "hint: " in done.stderr


def test_a_file_where_the_folder_should_be(tmp_path: Path, lpack: LpackRunner) -> None:
    project = write_project(tmp_path)
    (project / "dist").write_text("mine")
    with IndexServer([tmp_path / "wheels"]) as index:
        arguments = ["build", "--runtime", "python3.13", "--index-url", index.url]
        done = lpack.run(*arguments, cwd=project)
    assert done.exit_code in (2, 3), done.explain()
    assert "dist" in done.stderr
    assert "hint: " in done.stderr
    assert (project / "dist").read_text() == "mine"


def test_a_failed_build_leaves_the_last_one(tmp_path: Path, lpack: LpackRunner) -> None:
    project = write_project(tmp_path)
    with IndexServer([tmp_path / "wheels"]) as index:
        arguments = ["build", "--runtime", "python3.13", "--index-url", index.url]
        lpack.ok(*arguments, cwd=project)
        before = {path.name: path.read_bytes() for path in (project / "dist").iterdir()}
        (project / "requirements.txt").write_text("beta\nnowhere\n")
        done = lpack.run(*arguments, cwd=project)
    assert done.exit_code == 3, done.explain()
    assert {path.name: path.read_bytes() for path in (project / "dist").iterdir()} == before
