import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.fixture_wheels import CHECKOUT
from support.sandbox_world import subject, write_artifact

from packager.verify.dynamic import check_import
from packager.verify.sandbox import open_sandbox

pytestmark = pytest.mark.index

CASES = tomllib.loads((CHECKOUT / "tests/cases/verify/imports.toml").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_import(case: dict[str, Any], request: pytest.FixtureRequest, tmp_path: Path) -> None:
    runtime = request.getfixturevalue("runtime_with_sdk" if case.get("sdk") else "runtime")
    if case.get("as_root") and os.geteuid() != 0:
        pytest.skip("only root can write into a read-only folder")
    artifact = write_artifact(tmp_path / "function.zip", case["files"])
    of = subject(
        artifact,
        runtime,
        handler=case.get("handler", "app.handler"),
        variables=case.get("variables"),
    )
    limit = 2 if case["code"] == "import-endless" else 30
    with open_sandbox(of) as sandbox:
        report = check_import(sandbox, case.get("manifest", {}), limit_seconds=limit)
    assert not sandbox.root.exists()
    assert [finding.code for finding in report.findings] == ([case["code"]] if case["code"] else [])
    assert report.passed is not bool(case["code"])
    for finding in report.findings:
        assert case["message"] in finding.message
        assert case.get("hint", "") in (finding.hint or "")
        assert str(sandbox.root) not in f"{finding.message}{finding.hint}"


def test_times_are_told_by_module(runtime: Path, tmp_path: Path) -> None:
    files = {
        "app.py": "import slow.inner\nprint('loaded')\ndef handler(event, context): pass\n",
        "slow/__init__.py": "import time\ntime.sleep(0.05)\n",
        "slow/inner.py": "import other, time\ntime.sleep(0.05)\n",
        "other.py": "import time\ntime.sleep(0.1)\n",
    }
    artifact = write_artifact(tmp_path / "function.zip", files)
    with open_sandbox(subject(artifact, runtime)) as sandbox:
        report = check_import(sandbox, {})
    assert report.passed
    assert report.output == ("loaded",)
    assert report.import_ms is not None
    assert 200 <= report.import_ms < 20_000
    times = {time.name: time for time in report.modules}
    assert {"app", "slow", "other"} <= times.keys()
    assert times["slow"].modules == 2
    assert 100 <= times["slow"].self_ms < times["slow"].cumulative_ms
    assert times["slow"].cumulative_ms >= 200
    assert 100 <= times["other"].self_ms == times["other"].cumulative_ms
    total = sum(time.self_ms for time in report.modules)
    assert total == pytest.approx(report.import_ms, rel=0.1, abs=10)


def test_a_slow_init_is_told(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packager.verify.dynamic.INIT_LIMIT_SECONDS", 0.1)
    files = {"app.py": "import time\ntime.sleep(0.2)\ndef handler(event, context): pass\n"}
    artifact = write_artifact(tmp_path / "function.zip", files)
    with open_sandbox(subject(artifact, runtime)) as sandbox:
        report = check_import(sandbox, {})
    [finding] = report.findings
    assert (finding.code, finding.level) == ("import-slow", "warning")
    assert report.passed


def test_a_missing_library_of_lambda_is_this_machine_s_fault(runtime: Path, tmp_path: Path) -> None:
    text = "libodd.so.1: cannot open shared object file: No such file or directory"
    artifact = write_artifact(tmp_path / "function.zip", {"app.py": f"raise ImportError({text!r})"})
    with open_sandbox(subject(artifact, runtime)) as sandbox:
        report = check_import(sandbox, {}, system_sonames={"libodd.so.1"})
    [finding] = report.findings
    assert finding.code == "import-library-here"
    assert "although Lambda has it" in finding.message
