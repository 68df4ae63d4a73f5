"""Workloads as a zip with two layers answer as the plain zip does, under AWS's runtime client."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support import sandbox_world
from support.fixture_wheels import workload_requirements
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner

pytestmark = pytest.mark.index

EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {"host": "example.com"},
    "requestContext": {
        "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}
FIRST = {"W2": "pandas", "W3": "scikit-learn", "W5": "cryptography"}


def write_project(folder: Path, workload: str, *, layered: bool) -> Path:
    """Write the workload, with its heaviest distribution in one layer and the rest in another."""
    folder.mkdir()
    requirements = workload_requirements(workload, sandbox_world.TARGET)
    shutil.copy(requirements, folder / "requirements.txt")
    shutil.copy(requirements.with_name("handler.py"), folder / "handler.py")
    runtime, architecture = sandbox_world.TARGET.split("-")
    text = f'runtime = "{runtime}"\narchitecture = "{architecture}"\nupload = "s3"\n'
    if layered:
        text += f'[layers.first]\ndistributions = ["{FIRST[workload]}"]\nlibraries = true\n'
        text += "[layers.rest]\n"
    text += f'[functions.{workload}]\nhandler = "handler.lambda_handler"\n'
    (folder / "lpack.toml").write_text(text)
    return folder


@pytest.mark.parametrize(
    "workload",
    ["W5", *(pytest.param(name, marks=pytest.mark.slow) for name in ("W2", "W3"))],
)
def test_two_layers_answer_as_the_zip_does(
    workload: str,
    real_index: Callable[[str], IndexServer],
    shared_lpack: LpackRunner,
    tmp_path: Path,
) -> None:
    sandbox_world.interpreter()
    index = real_index(sandbox_world.TARGET).url
    answers = []
    for layered in (False, True):
        folder = write_project(tmp_path / f"layered-{layered}", workload, layered=layered)
        shared_lpack.ok("build", "--index-url", index, cwd=folder)
        done = shared_lpack.run(
            "invoke", json.dumps(EVENT), "--timeout", "120", "--index-url", index, cwd=folder
        )
        assert done.exit_code == 0, done.explain()
        answers.append(json.loads(done.stdout))
        manifest = json.loads((folder / "dist" / f"{workload}.lpack.json").read_text())
        assert [each["name"] for each in manifest["layers"]] == ["first", "rest"] * layered
    assert answers[0] == answers[1]
