"""The composite action, run step by step as GitHub would, on a push and on a pull request."""

import importlib.util
import os
import re
import shutil
import site
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.composite_action import Runner
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.pull_request import (
    REQUIREMENT_LINE,
    PullRequest,
    make_pull_request_wheels,
    open_pull_request,
)

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PullRequest]:
    folder = tmp_path_factory.mktemp("action")
    with IndexServer([make_pull_request_wheels(folder / "wheels")]) as index:
        lpack = LpackRunner(home=folder / "home")
        yield open_pull_request(folder / "repository", lpack, index)


@pytest.fixture
def runner(change: PullRequest, tmp_path: Path) -> Runner:
    """A runner whose PATH has this checkout's lpack, as the install step would leave it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    script = programs / "lpack"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m packager "$@"\n')
    script.chmod(0o755)
    environment = change.lpack.environment({"LPACK_BUILD_INDEX_URL": change.index_url})
    environment["PATH"] = os.pathsep.join((str(programs), environment["PATH"]))
    return Runner(
        action=CHECKOUT / "action.yml",
        workspace=change.project,
        temp=tmp_path / "runner-temp",
        caches=tmp_path / "caches",
        environment=environment,
    )


def test_a_push_saves_the_baseline_and_a_pull_request_is_held_against_it(
    change: PullRequest, runner: Runner
) -> None:
    base = change.git("rev-parse", "main")
    change.git("checkout", "-q", "main")
    pushed = runner.run({"install": "false"}, {"event_name": "push", "sha": base, "job": "package"})
    assert pushed.exit_code == 0, pushed.log
    assert pushed.ran == ["Build", "Check", "Save the baseline"]
    assert pushed.outputs["failed"] == "false"

    change.git("checkout", "-q", "bump")
    change.git("update-ref", "refs/remotes/origin/main", base)
    event = {"pull_request": {"base": {"sha": base}}}
    opened = runner.run(
        {"install": "false"},
        {"event_name": "pull_request", "sha": "merge", "job": "package", "event": event},
    )
    assert opened.ran == ["Restore the baseline", "Build", "Check"]
    assert opened.exit_code == 1, opened.log
    assert re.search(
        rf"^::error title=lpack LP301 orders,file=pyproject\.toml,line={REQUIREMENT_LINE}::.*"
        r"→ aioobjects → objectcore; filestore 2\.0 requires `aioobjects>=2`, a new edge",
        opened.log,
        re.MULTILINE,
    )
    assert "LP305" not in opened.log
    assert opened.outputs == {
        "failed": "true",
        "errors": "2",
        "warnings": "0",
        "artifacts": "dist/orders.zip",
        "report": str(runner.temp / "lpack-report.md"),
    }
    assert opened.summary == Path(opened.outputs["report"]).read_text()
    assert opened.summary.startswith("<!-- lpack-report -->\n### lpack: 1 of 1 failed")


def test_a_pull_request_without_a_baseline_passes_with_a_notice(runner: Runner) -> None:
    event = {"pull_request": {"base": {"sha": "none"}}}
    opened = runner.run(
        {"install": "false", "functions": "orders", "check-options": "--strict"},
        {"event_name": "pull_request", "sha": "x", "job": "package", "event": event},
    )
    assert opened.exit_code == 0, opened.log
    assert "::notice title=lpack LP304 orders" in opened.log


def test_a_passed_budget_still_tells_where_and_fails_once(
    change: PullRequest, runner: Runner
) -> None:
    with (change.project / "pyproject.toml").open("a") as file:
        file.write('zip = "1 MiB"\n')
    found = runner.run(
        {"install": "false", "baseline": str(change.baseline)},
        {"event_name": "push", "sha": "x", "job": "package"},
    )
    change.git("checkout", "-q", "pyproject.toml")
    assert found.ran == ["Build", "Check"]
    assert found.exit_code == 1
    assert "LP201" in found.log


@pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed"
)
def test_the_install_step_puts_lpack_on_the_path(change: PullRequest, runner: Runner) -> None:
    """Built and installed for real; what it stands on comes from this Python's own packages."""
    environment = {
        **runner.environment,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin", "/bin")),
        "PYTHONPATH": os.pathsep.join(site.getsitepackages()),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    fresh = Runner(
        action=runner.action,
        workspace=change.project,
        temp=runner.temp,
        caches=runner.caches,
        environment=environment,
    )
    event = {"event_name": "push", "sha": "x", "job": "package"}
    done = fresh.run({"python": sys.executable}, event)
    assert done.exit_code == 0, done.log
    assert done.ran[0] == "Install lpack"
    assert (runner.temp / "lpack" / "bin" / "lpack").is_file()
