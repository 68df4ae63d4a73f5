"""The capture handler, run as Lambda would run it, in every Python that is at hand."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from packager.runtime.capture import capture_handler_source
from packager.runtime.catalog import read_captured_catalog

PYTHONS = [sys.executable, *(f"python3.{minor}" for minor in range(9, 15))]


def _dist_info(folder: Path, name: str, version: str, *requires: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {text}" for text in requires]
    (info / "METADATA").write_text("\n".join([*lines, "", "text", ""]), encoding="utf-8")


def _runs(python: str) -> bool:
    found = shutil.which(python)
    return (
        found is not None
        and subprocess.run([found, "-c", "1"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.parametrize("python", PYTHONS, ids=lambda python: Path(python).name)
def test_the_answer_is_a_catalog(python: str, tmp_path: Path) -> None:
    if not _runs(python):
        pytest.skip(f"{python} is not installed here")
    first, second = tmp_path / "site-packages", tmp_path / "runtime"
    _dist_info(first, "boto3", "1.42.97", "botocore<1.43.0,>=1.42.97", "awscrt; extra == 'crt'")
    _dist_info(second, "boto3", "1.26.0")
    _dist_info(second, "python_dateutil", "2.9.0.post0", "six>=1.5")
    (second / "broken-1.0.dist-info").mkdir()
    task = tmp_path / "task"
    task.mkdir()
    (task / "capture.py").write_text(capture_handler_source(), encoding="utf-8")
    event = json.dumps({"folders": [str(first), str(second), str(tmp_path / "missing")]})
    code = (
        "import capture, json, sys; "
        "json.dump(capture.handler(json.loads(sys.argv[1]), None), sys.stdout)"
    )
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code, event],
        cwd=task,
        env={**os.environ, "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "AWS_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer = tmp_path / "catalog.json"
    answer.write_text(done.stdout, encoding="utf-8")
    catalog = read_captured_catalog(answer, runtime="python3.13")
    packages = {name: str(package.version) for name, package in catalog.packages.items()}
    assert packages == {"boto3": "1.42.97", "python-dateutil": "2.9.0.post0"}
    boto3 = next(package for name, package in catalog.packages.items() if name == "boto3")
    assert {need.name for need in boto3.requires} == {"botocore", "awscrt"}
    assert json.loads(done.stdout)["region"] == "eu-west-1"


def test_the_handler_stands_alone() -> None:
    tree = ast.parse(capture_handler_source(), feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [n.name for n in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names
