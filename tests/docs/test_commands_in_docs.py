"""Every command of the documentation is run as its reader would, in order, with real wheels."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import real_wheels
from support.aws_world import aws_world
from support.doc_blocks import mentioned_commands, steps_of, write_file
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner

from packager.cli.main import group

_CASES = CHECKOUT / "tests" / "cases" / "docs" / "pages.toml"
CASES: dict[str, dict[str, Any]] = tomllib.loads(_CASES.read_text(encoding="utf-8"))["pages"]
PAGES = sorted(
    path.relative_to(CHECKOUT).as_posix()
    for path in [*(CHECKOUT / "docs").rglob("*.md"), CHECKOUT / "README.md"]
)
_STARTS = {"app": CHECKOUT / "examples" / "app", "demo": CHECKOUT / "fixtures" / "demo"}


@pytest.fixture(scope="module")
def index() -> Iterator[IndexServer]:
    """An index of the wheels for both architectures of python3.13."""
    wheels = [*real_wheels("python3.13-x86_64"), *real_wheels("python3.13-arm64")]
    with IndexServer(list({wheel.name: wheel for wheel in wheels}.values())) as running:
        yield running


def _marked(page: str) -> Any:
    marks = [pytest.mark.slow] if CASES[page].get("slow") else []
    return pytest.param(page, marks=marks)


@pytest.mark.index
@pytest.mark.parametrize("page", [_marked(page) for page in CASES])
def test_the_page_can_be_followed(
    page: str, tmp_path: Path, shared_lpack: LpackRunner, index: IndexServer
) -> None:
    case = CASES[page]
    project = tmp_path / "project"
    if case["start"] == "empty":
        project.mkdir()
    else:
        source = _STARTS[case["start"]]
        shutil.copytree(source, project, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "lpack"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m packager "$@"\n')
    script.chmod(0o755)
    environment = shared_lpack.environment({"LPACK_BUILD_INDEX_URL": index.url})
    environment["PATH"] = os.pathsep.join((str(script.parent), environment["PATH"]))
    with ExitStack() as stack:
        if case.get("aws"):
            aws = stack.enter_context(aws_world(tmp_path / "moto.log"))
            aws.bucket("code")
            for name in ("api", "orders-api"):
                aws.function(name, b"PK\x05\x06" + bytes(18))
            environment |= aws.environment
        for command in case.get("prepare", ()):
            _run(command, 0, project, environment)
        _follow(page, case, project, environment)


def _follow(page: str, case: dict[str, Any], project: Path, environment: dict[str, str]) -> None:
    steps = steps_of((CHECKOUT / page).read_text(encoding="utf-8"))
    assert any(step.command for step in steps), "the page has no command to run"
    unused = set(case.get("not_run", ()))
    for step in steps:
        if step.file:
            write_file(project, step)
            continue
        hits = {pattern for pattern in case.get("not_run", ()) if re.search(pattern, step.command)}
        unused -= hits
        if not hits:
            _run(step.command, step.exit_code, project, environment)
    assert not unused, "a pattern of not_run fits nothing any more"


def _run(command: str, exit_code: int, cwd: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == exit_code, f"$ {command}\n{done.stdout}"
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_commands_to_run_is_followed(page: str) -> None:
    steps = steps_of((CHECKOUT / page).read_text(encoding="utf-8"))
    assert not any(step.command for step in steps) or page in CASES


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_mentioned_exist(page: str) -> None:
    wrong = []
    for words in mentioned_commands((CHECKOUT / page).read_text(encoding="utf-8")):
        complaint = _complaint(words)
        if complaint:
            wrong.append(f"{words}: {complaint}")
    assert wrong == []


def _complaint(words: str) -> str:
    """Return what is wrong with the names in a command line; its values do not matter."""
    command: click.Command = group
    context = click.Context(group, info_name="lpack")
    rest = words.split()[1:]
    while isinstance(command, click.Group):
        if not rest or not re.fullmatch(r"[a-z-]+", rest[0]):
            return ""
        child = command.get_command(context, rest[0])
        if child is None:
            return f"there is no `{rest[0]}`"
        command, rest = child, rest[1:]
    known = {name for each in command.params for name in [*each.opts, *each.secondary_opts]}
    known |= {"--help", "-h"}
    for word in rest:
        name = word.partition("=")[0].rstrip(",.;")
        if re.fullmatch(r"--?[a-z][a-z0-9-]*", name) and name not in known:
            return f"{command.name} has no `{name}`"
    return ""


def test_a_wrong_command_is_found() -> None:
    assert _complaint("lpack bulid") == "there is no `bulid`"
    assert _complaint("lpack build --no-such") == "build has no `--no-such`"
    assert _complaint("lpack publish zip --s4 s3://b/") == "zip has no `--s4`"
    assert _complaint("lpack build NAME --unpacked DIR") == ""
    assert mentioned_commands("`lpack why x`\n```sh\nlpack build && sam deploy\n```\n") == [
        "lpack why x",
        "lpack build",
    ]
