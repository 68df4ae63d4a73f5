"""`lpack check` and `lpack diff` as people meet them: budgets, strange input, start-up time."""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.built_manifest import zip_and_manifest
from support.lpack_runner import LpackRunner

BUDGETS = """\
[tool.lpack.budgets]
zip = "1 kB"
files = 3

[tool.lpack.functions.api]
handler = "app.handler"

[tool.lpack.functions.api.budgets]
files = 100

[tool.lpack.functions.other]
handler = "app.handler"
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder with `dist/api.zip`, its manifest and budgets."""
    path, manifest = zip_and_manifest(tmp_path / "dist")
    path.with_name("api.lpack.json").write_text(json.dumps(manifest))
    (tmp_path / "pyproject.toml").write_text(BUDGETS)
    return tmp_path


def test_budgets_of_a_function_override_those_of_all(built: Path, lpack: LpackRunner) -> None:
    done = lpack.run("check", "api", "--output-format", "json", cwd=built)
    assert done.exit_code == 1, done.explain()
    [artifact] = json.loads(done.stdout)["artifacts"]
    rules = {rule["name"]: rule for rule in artifact["rules"]}
    assert rules["budget:files"]["allowed"] == 100
    assert [each["code"] for each in artifact["findings"]] == ["LP201"]
    assert artifact["findings"][0]["spot"] == {"file": "pyproject.toml", "line": 2}
    assert lpack.run("check", "--budget", "zip=1 MiB", cwd=built).exit_code == 0


def test_a_changed_artifact_is_not_what_was_built(built: Path, lpack: LpackRunner) -> None:
    with (built / "dist" / "api.zip").open("ab") as file:
        file.write(b"x")
    done = lpack.run("check", "--budget", "zip=1 MiB", cwd=built)
    assert done.exit_code == 1
    assert "LP401" in done.stdout


def test_a_foreign_zip_needs_no_manifest(built: Path, lpack: LpackRunner) -> None:
    (built / "dist" / "api.zip").rename(built / "foreign.zip")
    done = lpack.run("check", "foreign.zip", "--output-format", "json", cwd=built)
    [artifact] = json.loads(done.stdout)["artifacts"]
    assert artifact["compressed_bytes"] == (built / "foreign.zip").stat().st_size
    same = lpack.ok("diff", "foreign.zip", "dist", cwd=built)
    assert "0 B" in same.stdout or "nothing changed" in same.stdout


def test_what_keeps_a_foreign_zip_from_working_fails(built: Path, lpack: LpackRunner) -> None:
    with zipfile.ZipFile(built / "foreign.zip", "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...\n")
        archive.writestr(
            "native.cpython-313-x86_64-linux-gnu.so", b"\x7fELF\x02\x01\x01" + b"cut off" * 9
        )
    done = lpack.run("check", "foreign.zip", "--output-format", "github", cwd=built)
    assert done.exit_code == 1, done.explain()
    [line] = [line for line in done.stdout.splitlines() if "LP607" in line]
    assert line.startswith("::error title=lpack LP607 foreign::foreign.zip ")


def test_import_times_come_from_verify(built: Path, lpack: LpackRunner) -> None:
    record = {"verified": [{"artifact": "dist/api.zip", "import_ms": 900.5}]}
    (built / "verified.json").write_text(json.dumps(record))
    for allowed, code in (("901 ms", 0), ("0.9 s", 1)):
        done = lpack.run(
            "check", "--verified", "verified.json", "--budget", f"init={allowed}",
            "--budget", "zip=1 MB", cwd=built,
        )  # fmt: skip
        assert done.exit_code == code, done.explain()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere"], "there is no `nowhere`"),
        (["check", "pyproject.toml"], "`pyproject.toml` is not a zip"),
        (["check", "broken.lpack.json"], "`broken.lpack.json` is not a manifest"),
        (["check", "hollow.lpack.json"], "is not a whole manifest"),
        (["check", "--baseline", "broken.lpack.json"], "`broken.lpack.json` is not a manifest"),
        (["check", "--baseline", "list.json"], "`list.json` is no baseline"),
        (["check", "--baseline", "odd.json"], "`odd.json` is no baseline"),
        (["check", "--report", "csv=x"], "`csv` is not a format"),
        (["check", "--report", "json"], "has no path"),
        (["check", "--budget", "zip"], "`--budget zip` has no value"),
        (["check", "--budget", "zip=much"], "`zip` in `--budget` is `much`, not a size"),
        (["check", "--verified", "list.json"], "`list.json` is not what `lpack verify` prints"),
        (["check", "--config", "gone.toml"], "there is no file `gone.toml`"),
        (["diff", "gone", "dist"], "there is no `gone`"),
        (["diff", "hollow.lpack.json", "dist"], "is not a whole manifest"),
        (["diff", "list.json", "dist"], "`list.json` is no baseline"),
    ],
)
def test_strange_input_is_one_line_and_a_hint(
    built: Path, lpack: LpackRunner, arguments: list[str], message: str
) -> None:
    manifest = json.loads((built / "dist" / "api.lpack.json").read_text())
    hollow: dict[str, Any] = {
        key: [{}] if isinstance(value, list) else {} for key, value in manifest.items()
    }
    hollow |= {"schema_version": manifest["schema_version"], "function": {"name": "api"}}
    hollow["artifact"] = {"path": "api.zip"}
    (built / "broken.lpack.json").write_text("{")
    (built / "hollow.lpack.json").write_text(json.dumps(hollow))
    (built / "list.json").write_text("[1]")
    (built / "odd.json").write_text('{"manifests": [{"artifact": 1}, 3]}')
    done = lpack.run(*arguments, cwd=built)
    assert done.exit_code == 2, done.explain()
    assert message in done.stderr
    assert done.stderr.count("error:") == 1
    assert done.stdout == ""


def test_it_starts_nearly_as_fast_as_python_with_click(built: Path, lpack: LpackRunner) -> None:
    """Within one and a half times: the best of runs in turns, of more of them on a busy machine."""
    environment = lpack.environment()
    commands = {
        "click": [sys.executable, "-c", "import click"],
        "check": [
            sys.executable, "-c", "from packager.cli.entry import main; main()", "check",
            "dist/api.lpack.json", "--budget", "zip=1 MB",
        ],
    }  # fmt: skip
    best = dict.fromkeys(commands, float("inf"))
    for turn in range(40):
        if turn >= 5 and best["check"] < 1.5 * best["click"]:
            break
        for name, command in commands.items():
            began = time.perf_counter()
            done = subprocess.run(
                command, cwd=built, env=environment, capture_output=True, check=False
            )
            best[name] = min(best[name], time.perf_counter() - began)
            assert done.returncode == 0, done.stderr
    assert best["check"] < 1.5 * best["click"], best
