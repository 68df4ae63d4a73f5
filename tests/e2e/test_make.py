"""The Makefile of examples/make: zips are real targets, with dependencies that lpack wrote."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

from packager.cli.depfiles import write_depfile

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

PYPROJECT = """\
[tool.lpack]
runtime = "python3.13"

[tool.lpack.functions.api]
handler = "api.handler"
source = ["src"]
requirements = ["requirements.txt"]

[tool.lpack.functions.worker]
handler = "worker.handler"
source = ["worker.py"]
requirements = ["worker.txt"]
"""
HANDLER = "def handler(event, context):\n    return event\n"


class MakeWorld:
    """A project with the example's Makefile."""

    def __init__(self, project: Path, environment: dict[str, str]) -> None:
        self.project = project
        self._environment = environment

    def make(self, *arguments: str) -> list[str]:
        """Run make and return the functions that were built, in their order."""
        done = subprocess.run(
            ["make", *arguments], cwd=self.project, env=self._environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        # File dates come from a clock that ticks every few milliseconds.
        time.sleep(0.02)
        lines = [line for line in done.stdout.splitlines() if " build " in line]
        return [line.split(" build ")[1].split()[0] for line in lines]


@pytest.fixture
def make_world(tmp_path: Path, lpack: LpackRunner) -> Iterator[MakeWorld]:
    project = tmp_path / "a project"
    (project / "src" / "api").mkdir(parents=True)
    (project / "src" / "api" / "__init__.py").write_text(HANDLER)
    (project / "src" / "api" / "odd = $name #1%.py").write_text("")
    (project / "worker.py").write_text(HANDLER)
    (project / "requirements.txt").write_text("alpha\n")
    (project / "worker.txt").write_text("beta\n")
    (project / "pyproject.toml").write_text(PYPROJECT)
    shutil.copy(CHECKOUT / "examples" / "make" / "Makefile", project / "Makefile")
    wheels = tmp_path / "wheels"
    for name in ("alpha", "beta"):
        build_wheel(wheels, name, "1.0")
    with IndexServer([wheels]) as index:
        environment = lpack.environment({"LPACK": f"'{sys.executable}' -m packager"})
        environment["LPACK_BUILD_INDEX_URL"] = index.url
        yield MakeWorld(project, environment)


def test_make_builds_what_changed_once(make_world: MakeWorld) -> None:
    make, source = make_world.make, make_world.project / "src" / "api"
    assert make() == ["api", "worker"]
    assert make() == []
    (source / "more.py").write_text("A = 1\n")
    assert make() == ["api"], "a file was added"
    (source / "more.py").rename(source / "other.py")
    assert make() == ["api"], "a file was renamed"
    (source / "other.py").unlink()
    assert make() == ["api"], "a file was removed"
    os.utime(source / "odd = $name #1%.py")
    assert make() == ["api"], "a file with an odd name was touched"
    (source / "deep").mkdir()
    (source / "deep" / "mod.py").write_text("")
    assert make() == ["api"], "a folder was added"
    shutil.rmtree(source / "deep")
    assert make() == ["api"], "a folder was removed"
    (make_world.project / "worker.txt").write_text("beta==1.0\n")
    assert make() == ["worker"], "a requirement changed"
    (make_world.project / "pylock.api.toml").write_text("")
    (make_world.project / "pylock.api.toml").unlink()
    assert make() == ["api", "worker"], "the project's folder has another date"
    assert make() == []


def test_the_artifact_is_the_same_with_and_without_make(make_world: MakeWorld) -> None:
    make_world.make("package")
    before = (make_world.project / "dist" / "api.zip").read_bytes()
    rule = (make_world.project / "dist" / "api.zip.d").read_text()
    assert rule.startswith("lpack_equals := =\ndist/api.zip:")
    make_world.make("clean")
    make_world.make("check")
    assert (make_world.project / "dist" / "api.zip").read_bytes() == before
    assert (make_world.project / "dist" / "api.zip.d").read_text() == rule


def test_a_file_that_changes_during_the_build_is_built_again(make_world: MakeWorld) -> None:
    make_world.make()
    changed = make_world.project / "src" / "api" / "__init__.py"
    started = time.time_ns()
    artifact = make_world.project / "dist" / "api.zip"
    os.utime(changed, ns=(started + 1_000_000, started + 1_000_000))
    write_depfile(str(artifact), [str(changed)], started_ns=started)
    assert artifact.stat().st_mtime_ns < changed.stat().st_mtime_ns
