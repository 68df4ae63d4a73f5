"""`lpack verify` on what lpack did not build, and what it says of findings."""

import json
import zipfile
from pathlib import Path

import pytest
from support.build_world import BuildWorld

APP = "def handler(event, context):\n    return event\n"


@pytest.fixture
def foreign(world: BuildWorld) -> Path:
    """A zip that somebody made without lpack; `app.py` may not be read by others."""
    path = world.project / "foreign.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in (("app.py", 0o600), ("logging.py", 0o644)):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, (0o100000 | mode) << 16
            archive.writestr(entry, APP)
    return path


def run(world: BuildWorld, *arguments: str) -> tuple[int, str, str]:
    done = world.lpack.run("verify", *arguments, cwd=world.project)
    assert "Traceback" not in done.stderr, done.explain()
    return done.exit_code, done.stdout, done.stderr


def test_a_foreign_zip_needs_a_target(world: BuildWorld, foreign: Path) -> None:
    exit_code, stdout, stderr = run(world, foreign.name)
    assert (exit_code, stdout) == (2, "")
    assert "hint: lpack verify foreign.zip --runtime python3.13 --arch x86_64" in stderr


def test_errors_fail(world: BuildWorld, foreign: Path) -> None:
    exit_code, stdout, _ = run(
        world, foreign.name, "--runtime", "python3.12", "--arch", "arm64", "--handler", "main.run"
    )
    assert exit_code == 1
    lines = stdout.splitlines()
    assert lines[0] == "FAIL foreign.zip  as python3.12/arm64"
    assert [line.split(": ")[0].strip() for line in lines[1:]] == ["error", "hint"] * 3
    assert "`main`, which is not in the bundle" in lines[1]
    assert "Lambda's runtime itself imports" in lines[3]
    assert "mode 0600" in lines[5]


def test_json(world: BuildWorld, foreign: Path) -> None:
    exit_code, stdout, _ = run(
        world, foreign.name, "--runtime", "python3.13", "--output-format", "json"
    )
    (row,) = json.loads(stdout)["verified"]
    assert (exit_code, row["passed"], row["target"]) == (1, False, "python3.13/x86_64")
    assert [finding["code"] for finding in row["findings"]] == [
        "shadows-standard-library",
        "not-readable",
    ]


def test_an_unpacked_folder(world: BuildWorld) -> None:
    world.write("unpacked/app.py", APP)
    arguments = ("unpacked", "--runtime", "python3.13", "--handler", "app.handler")
    assert run(world, *arguments)[:2] == (0, "ok   unpacked  as python3.13/x86_64\n")
    assert run(world, "unpacked")[0] == 2


def test_warnings_pass_and_name_their_distribution(world: BuildWorld) -> None:
    world.build()
    exit_code, stdout, _ = run(world)
    assert exit_code == 0
    lines = stdout.splitlines()
    assert lines[0].startswith("ok   dist/api.zip  ")
    # What lpack's own Python, or the lack of the target's, adds stands beside it.
    assert (
        "warning: `gamma_start.pth` runs code at every cold start: `import gamma` (from gamma 2.5)"
        in [line.strip() for line in lines]
    )
    (row,) = json.loads(run(world, "--output-format", "json")[1])["verified"]
    assert (row["passed"], row["faults"]) == (True, [])
    assert row["findings"][0]["owner"] == "gamma 2.5"


def test_a_zip_that_is_none(world: BuildWorld) -> None:
    world.write("no.zip", "text")
    exit_code, _, stderr = run(world, "no.zip", "--runtime", "python3.13")
    assert exit_code == 2
    assert "`no.zip` is not a zip" in stderr
