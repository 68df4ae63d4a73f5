"""`lpack plan` through the real command: a bundle too large to upload, planned, written, built."""

import json
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

NOISE_BYTES = 27 * 1024 * 1024
PYPROJECT = """\
[project]
name = "api"
version = "1"
dependencies = ["one", "two"]

[tool.lpack]
runtime = "python3.11"  # as in production
handler = "app.handler"
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """An index with two distributions that deflate cannot make smaller."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    chance = random.Random(7)  # noqa: S311 -- filling, not a secret
    for name in ("one", "two"):
        files = {f"{name}/__init__.py": b"", f"{name}/data.bin": chance.randbytes(NOISE_BYTES)}
        build_wheel(wheels, name, "1.0", files=files)
    with IndexServer([wheels]) as server:
        yield server.url


def test_a_plan_is_made_tried_written_and_built(
    lpack: LpackRunner, tmp_path: Path, index: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "app.py").write_text("def handler(event, context):\n    return 1\n")
    build = ("build", "--index-url", index)
    assert lpack.run(*build, cwd=project).exit_code == 1

    planned = lpack.run("plan", "--output-format", "json", cwd=project)
    assert planned.exit_code == 0, planned.explain()
    document = json.loads(planned.stdout)
    assert [plan["way"] for plan in document["plans"]] == ["upload", "layers", "image"]
    assert all(plan["possible"] and plan["proved"] for plan in document["plans"])

    text = lpack.run("plan", cwd=project)
    assert max(map(len, text.stdout.splitlines())) <= 100
    assert "1. upload through S3" in text.stdout

    before = sorted(path.name for path in project.rglob("*"))
    tried = lpack.run("plan", "--try", "1", "--index-url", index, cwd=project)
    assert tried.exit_code == 0, tried.explain()
    row = next(line for line in tried.stdout.splitlines() if line.lstrip().startswith("1  "))
    assert row.count("exact") == 2, tried.stdout
    assert sorted(path.name for path in project.rglob("*")) == before

    applied = lpack.run("plan", "--apply", cwd=project)
    assert tomllib.loads(applied.stdout) == {"tool": {"lpack": {"upload": "s3"}}}
    written = lpack.run("plan", "--write", cwd=project)
    assert written.exit_code == 0, written.explain()
    assert "# as in production" in (project / "pyproject.toml").read_text()
    built = lpack.run(*build, cwd=project)
    assert built.exit_code == 0, built.explain()
    assert "it fits" in lpack.run("plan", cwd=project).stdout


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["plan"], "no manifest"),
        (["plan", "nobody"], "no manifest"),
        (["plan", "notes.txt"], "notes.txt"),
        (["plan", "--memory", "64"], "128"),
        (["plan", "--write", "0"], "--write"),
    ],
)
def test_bad_input_is_one_line(
    lpack: LpackRunner, tmp_path: Path, argv: list[str], message: str
) -> None:
    (tmp_path / "notes.txt").write_text("no artifact\n")
    finished = lpack.run(*argv, cwd=tmp_path)
    assert finished.exit_code == 2, finished.explain()
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr
