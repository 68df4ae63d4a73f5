"""The dynamic check on the five workloads: no false alarm, and where the start-up time goes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import sandbox_world
from support.fixture_wheels import WORKLOADS, workload_requirements
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner

from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.pipeline.runtime import SandboxOptions
from packager.pipeline.sandbox import verify_import
from packager.wheels.store import Store

pytestmark = [pytest.mark.index, pytest.mark.slow]

HEAVIEST = {"W1": "pydantic", "W2": "pandas", "W3": "scipy", "W4": "PIL", "W5": "sqlalchemy"}


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_workload_is_imported(
    workload: str,
    real_index: Callable[[str], IndexServer],
    shared_lpack: LpackRunner,
    tmp_path: Path,
) -> None:
    sandbox_world.interpreter()
    index = real_index(sandbox_world.TARGET)
    requirements = workload_requirements(workload, sandbox_world.TARGET)
    (tmp_path / "requirements.txt").write_text(requirements.read_text())
    (tmp_path / "handler.py").write_text(requirements.with_name("handler.py").read_text())
    runtime, architecture = sandbox_world.TARGET.split("-")
    (tmp_path / "lpack.toml").write_text(
        f'runtime = "{runtime}"\narchitecture = "{architecture}"\nupload = "s3"\n'
        f'[functions.{workload}]\nhandler = "handler.lambda_handler"\n'
    )
    built = shared_lpack.run("build", "--index-url", index.url, cwd=tmp_path)
    assert built.exit_code in (0, 1), built.explain()
    artifact = tmp_path / "dist" / f"{workload}.zip"
    report = verify_import(
        artifact,
        json.loads(artifact.with_suffix(".lpack.json").read_text()),
        store=Store(shared_lpack.store / "v1"),
        options=SandboxOptions(requested=IndexSettings(index_url=index.url)),
        reporter=NullReporter(),
    )
    assert report.findings == (), "\n".join(report.output)
    assert report.import_ms is not None
    names = [time.name for time in report.modules]
    assert HEAVIEST[workload] in names[:8], names[:8]
    total = sum(time.self_ms for time in report.modules)
    assert total == pytest.approx(report.import_ms, rel=0.15)
