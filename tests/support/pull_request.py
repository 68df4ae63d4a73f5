"""A pull request in a real repository: a bump that grows the artifact through a transitive edge.

`filestore` 2 newly requires `aioobjects`, which requires `objectcore` with 3 MB of data.
"""

import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner
from support.wheel_builder import build_wheel

BASE_BYTES = 5_000_000
HEAVY_BYTES = 3_000_000
PYPROJECT = """\
[project]
name = "orders"
version = "1.0"
requires-python = ">=3.13"
dependencies = [
  "geodata>=1",
  "filestore>=1,<2",  # where orders are kept
]

[tool.lpack]
runtime = "python3.13"

[tool.lpack.budgets]
max-increase = ["5 %", "500 KiB"]
new-distributions = ["aioobjects", "objectcore"]
files = 40
"""
REQUIREMENT_LINE = 7
_GIT = ("git", "-c", "user.name=tests", "-c", "user.email=tests@localhost")


def make_pull_request_wheels(folder: Path) -> Path:
    """Build the wheels of both states into `folder`; the heavy one is stored, not deflated."""
    random_bytes = random.Random(6).randbytes  # noqa: S311 -- must be the same every time
    data = {"geodata/__init__.py": b"", "geodata/places.bin": random_bytes(BASE_BYTES)}
    build_wheel(folder, "geodata", "1.0", files=data, compress=False)
    build_wheel(folder, "filestore", "1.4", files={"filestore/__init__.py": b"VERSION = 1\n"})
    build_wheel(
        folder,
        "filestore",
        "2.0",
        files={"filestore/__init__.py": b"import aioobjects\n"},
        requires=["aioobjects>=2"],
    )
    build_wheel(
        folder,
        "aioobjects",
        "2.7",
        files={"aioobjects/__init__.py": b"import objectcore\n"},
        requires=["objectcore>=1.40"],
    )
    files = {"objectcore/__init__.py": b"", "objectcore/data.bin": random_bytes(HEAVY_BYTES)}
    build_wheel(folder, "objectcore", "1.41.0", files=files, compress=False)
    return folder


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """The repository, checked out at the change, with the baseline of the branch it goes into."""

    project: Path
    baseline: Path
    lpack: LpackRunner
    index_url: str

    def run(self, *argv: str, env: dict[str, str] | None = None) -> Finished:
        """Run lpack in the project."""
        return self.lpack.run(*argv, cwd=self.project, env=env)

    def build(self) -> None:
        """Build what is checked out."""
        done = self.run("build", "--index-url", self.index_url, "-q")
        assert done.exit_code == 0, done.explain()

    def git(self, *arguments: str) -> str:
        """Run git in the project and return what it printed."""
        return run_git(self.project, *arguments)


def run_git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` as a user of its own; skips the test where there is no git."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    done = subprocess.run(
        [*_GIT, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def open_pull_request(folder: Path, lpack: LpackRunner, index: IndexServer) -> PullRequest:
    """Make the base branch with its baseline, then the change, and build it."""
    project = folder / "project"
    project.mkdir(parents=True)
    (project / "handler.py").write_text("def handler(event, context):\n    return event\n")
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / ".gitignore").write_text("dist/\n")
    run_git(project, "init", "-q", "-b", "main")
    request = PullRequest(
        project=project, baseline=folder / "main.json", lpack=lpack, index_url=index.url
    )
    request.git("add", "-A")
    request.git("commit", "-q", "-m", "base")
    request.build()
    saved = request.run("check", "--save-baseline", str(request.baseline))
    assert saved.exit_code == 0, saved.explain()
    request.git("checkout", "-q", "-b", "bump")
    (project / "pyproject.toml").write_text(
        PYPROJECT.replace('"filestore>=1,<2"', '"filestore>=2"')
    )
    request.git("commit", "-q", "-a", "-m", "bump filestore")
    request.build()
    return request
