"""The other examples, run as their services would: GitLab's job and pre-commit's hooks."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.pull_request import PullRequest, make_pull_request_wheels, open_pull_request
from support.quiet_server import QuietServer

EXAMPLES = CHECKOUT / "examples"
JOB_ARTIFACT = "/projects/7/jobs/artifacts/main/raw/saved.json?job=package"
CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "fingerprint": {"type": "string", "minLength": 32},
            "location": {
                "required": ["path", "lines"],
                "properties": {"lines": {"required": ["begin"]}},
            },
        },
    },
}
"""What GitLab's documentation asks of a code quality report."""


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PullRequest]:
    folder = tmp_path_factory.mktemp("examples")
    with IndexServer([make_pull_request_wheels(folder / "wheels")]) as index:
        lpack = LpackRunner(home=folder / "home")
        yield open_pull_request(folder / "repository", lpack, index)


@pytest.fixture
def environment(change: PullRequest, tmp_path: Path) -> dict[str, str]:
    """The environment of a job, with this checkout's lpack on PATH."""
    script = tmp_path / "programs" / "lpack"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m packager "$@"\n')
    script.chmod(0o755)
    values = change.lpack.environment({"LPACK_BUILD_INDEX_URL": change.index_url})
    values["PATH"] = os.pathsep.join((str(script.parent), values["PATH"]))
    return values


@pytest.fixture
def gitlab(change: PullRequest) -> Iterator[tuple[str, list[str]]]:
    """GitLab's API for job artifacts, and the tokens it was asked with."""
    tokens: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(str(self.headers.get("JOB-TOKEN")))
            found = self.path == JOB_ARTIFACT
            body = change.baseline.read_bytes() if found else b"404 Not found"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = QuietServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", tokens
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(("branch", "exit_code"), [("main", 1), ("unborn", 0)])
def test_gitlab_job(
    change: PullRequest,
    environment: dict[str, str],
    gitlab: tuple[str, list[str]],
    branch: str,
    exit_code: int,
) -> None:
    job = yaml.safe_load((EXAMPLES / "gitlab" / ".gitlab-ci.yml").read_text())["package"]
    url, tokens = gitlab
    environment |= {
        "CI_API_V4_URL": url, "CI_PROJECT_ID": "7", "CI_JOB_TOKEN": "secret",
        "CI_DEFAULT_BRANCH": branch, "CI_PROJECT_DIR": str(change.project),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        cwd=change.project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert tokens == ["secret"]
    assert "secret" not in done.stdout + done.stderr
    reports = job["artifacts"]["reports"]
    written = [*job["artifacts"]["paths"], *reports.values()]
    assert [name for name in written if not (change.project / name).exists()] == []
    found: list[Any] = yaml.safe_load((change.project / reports["codequality"]).read_text())
    Draft202012Validator(CODE_QUALITY).validate(found)
    codes = [row["check_name"].split("/")[1][:5] for row in found]
    assert codes == (["LP301", "LP302"] if branch == "main" else ["LP304"])


@pytest.mark.parametrize("hook", ["lpack-build", "lpack-check"])
def test_pre_commit_hooks(change: PullRequest, environment: dict[str, str], hook: str) -> None:
    """As pre-commit runs a hook: its entry with its arguments, in the root of the repository."""
    hooks = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
    [defined] = [each for each in hooks if each["id"] == hook]
    configured = yaml.safe_load((EXAMPLES / "pre-commit-config.yaml").read_text())
    [used] = [each for each in configured["repos"][0]["hooks"] if each["id"] == hook]
    baseline = change.project / "main.json"
    shutil.copy(change.baseline, baseline)
    command = [*shlex.split(defined["entry"]), *used.get("args", [])]
    done = subprocess.run(
        command, cwd=change.project, env=environment, capture_output=True, text=True, check=False
    )
    baseline.unlink()
    assert done.returncode == (1 if hook == "lpack-check" else 0), done.stdout + done.stderr
    assert not defined["pass_filenames"]


@pytest.mark.parametrize(
    ("path", "matches"),
    [("src/app.py", True), ("pyproject.toml", True), ("sub/uv.lock", True), ("README.md", False),
     ("requirements-dev.txt", True), ("pylock.api.toml", True), ("notes.txt", False)],
)  # fmt: skip
def test_the_build_hook_runs_for_what_is_built_from(path: str, matches: bool) -> None:
    [hook] = [
        each
        for each in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
        if each["id"] == "lpack-build"
    ]
    assert bool(re.search(hook["files"], path)) is matches


def test_the_workflow_gives_the_action_inputs_it_has() -> None:
    workflow = yaml.safe_load((EXAMPLES / "github" / "lpack.yml").read_text())
    action = yaml.safe_load((CHECKOUT / "action.yml").read_text())
    steps = workflow["jobs"]["package"]["steps"]
    [used] = [step for step in steps if "lpack" in step.get("uses", "")]
    assert used.get("with", {}).keys() <= action["inputs"].keys()
    text = (EXAMPLES / "github" / "lpack.yml").read_text()
    assert set(re.findall(r"steps\.lpack\.outputs\.([\w-]+)", text)) <= action["outputs"].keys()
    assert workflow["permissions"] == {"contents": "read"}
