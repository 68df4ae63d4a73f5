"""`lpack plan` through the real command: a bundle too large to upload, planned, written, built."""

import json
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

SCHEMA = CHECKOUT / "packager" / "report" / "plan.schema.json"
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
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert [plan["way"] for plan in document["plans"]] == ["upload", "layers", "image"]
    assert all(plan["possible"] and plan["proved"] for plan in document["plans"])

    text = lpack.run("plan", cwd=project)
    assert max(map(len, text.stdout.splitlines())) <= 100
    assert "1. upload through S3" in text.stdout

    picture = tmp_path / "plan.html"
    drawn = lpack.run("plan", "--picture", str(picture), cwd=project)
    assert drawn.exit_code == 0, drawn.explain()
    assert "api.zip after the plan" in picture.read_text()

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


def test_layers_are_chosen_across_functions(lpack: LpackRunner, tmp_path: Path) -> None:
    wheels, project = tmp_path / "wheels", tmp_path / "project"
    wheels.mkdir()
    project.mkdir()
    chance = random.Random(3)  # noqa: S311 -- filling, not a secret
    for name in ("base", "extra", "lonely"):
        files = {f"{name}/__init__.py": b"", f"{name}/data.bin": chance.randbytes(40_000)}
        requires = ["base"] if name == "extra" else []
        build_wheel(wheels, name, "1.0", files=files, requires=requires)
    needs = {"a": "base extra", "b": "base extra", "c": "base lonely"}
    tables = ['[tool.lpack]\nruntime = "python3.13"\n']
    for name, words in needs.items():
        (project / f"{name}.py").write_text("def handler(event, context):\n    return 1\n")
        (project / f"{name}.txt").write_text("\n".join(words.split()) + "\n")
        tables.append(
            f'[tool.lpack.functions.{name}]\nhandler = "{name}.handler"\n'
            f'source = ["{name}.py"]\nrequirements = ["{name}.txt"]\n'
        )
    (project / "pyproject.toml").write_text("\n".join(tables))
    with IndexServer([wheels]) as server:
        build = ("build", "--index-url", server.url)
        assert lpack.run(*build, cwd=project).exit_code == 0
        argv = ("plan", "--layers", "--deployments", "c=1", "--output-format", "json")
        planned = lpack.run(*argv, cwd=project)
        assert planned.exit_code == 0, planned.explain()
        document = json.loads(planned.stdout)
        (layer,) = document["layers"]
        assert layer["distributions"] == ["base", "extra"]
        assert layer["functions"] == ["a", "b"]
        assert document["proved"]
        assert document["after"]["uploaded_bytes"] < document["before"]["uploaded_bytes"]
        written = lpack.run("plan", "--layers", "--write", cwd=project)
        assert written.exit_code == 0, written.explain()
        configured = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["lpack"]
        assert configured["functions"]["a"]["layers"] == [layer["name"]]
        assert configured["functions"]["c"]["layers"] == []
