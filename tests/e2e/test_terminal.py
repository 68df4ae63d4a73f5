"""The terminal: completion in real shells, help that can be typed, colour, bars."""

import importlib
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.built_manifest import zip_and_manifest
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

from packager.cli.console import Console
from packager.cli.main import group
from packager.report.manifest import render_manifest

PROJECT = """\
[tool.lpack]
runtime = "python3.13"
[tool.lpack.functions.api]
handler = "app.handler"
[tool.lpack.functions.apples]
handler = "app.handler"
[tool.lpack.functions.worker]
handler = "app.handler"
"""
BASH = """
eval "$(_LPACK_COMPLETE=bash_source lpack)"
COMP_WORDS=({words}); COMP_CWORD={position}; _lpack_completion lpack
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ }}
_describe() {{ local array=$3; print -l -- ${{(P)array}}; }}
compadd() {{ local array=${{@[-1]}}; print -l -- ${{(P)array}}; }}
_path_files() {{ print -l -- *; }}
source <(_LPACK_COMPLETE=zsh_source lpack)
words=({words}); CURRENT=$(({position} + 1)); _lpack_completion
"""
FISH = """
_LPACK_COMPLETE=fish_source lpack | source
complete -C {line}
"""


@pytest.fixture
def shell_environment(tmp_path: Path, lpack: LpackRunner) -> dict[str, str]:
    """A project with functions, and this checkout's lpack on PATH."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    _, manifest = zip_and_manifest(project / "dist")
    (project / "dist" / "api.lpack.json").write_text(render_manifest(manifest))
    script = tmp_path / "programs" / "lpack"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m packager "$@"\n')
    script.chmod(0o755)
    environment = lpack.environment()
    environment["PATH"] = os.pathsep.join((str(script.parent), environment["PATH"]))
    return environment


CASES = [
    ("lpack build ap", {"api", "apples"}),
    ("lpack build --runtime python3.1", {"python3.14", "python3.13", "python3.12", "python3.11"}),
    ("lpack check w", {"worker"}),
    ("lpack why t", {"two"}),
    ("lpack di", {"diff"}),
]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(("line", "proposed"), CASES)
def test_completion_in_a_real_shell(
    tmp_path: Path, shell_environment: dict[str, str], shell: str, line: str, proposed: set[str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    words = line.split()
    template = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell]
    script = template.format(words=line, position=len(words) - 1, line=shlex.quote(line))
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [shell, *options, "-c", script],
        cwd=tmp_path / "project", env=shell_environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {re.split(r"[\t:]", text)[0] for text in done.stdout.splitlines()}
    assert proposed <= found, done.stdout + done.stderr
    started = words[-1]
    assert {text for text in found if text.startswith(started)} <= proposed | {"python3.10"}


def test_half_a_configuration_proposes_nothing(
    tmp_path: Path, shell_environment: dict[str, str]
) -> None:
    project = tmp_path / "project"
    (project / "pyproject.toml").write_text("[tool.lpack")
    (project / "dist" / "api.lpack.json").write_text("{")
    environment = shell_environment | {
        "_LPACK_COMPLETE": "bash_complete", "COMP_WORDS": "lpack why t", "COMP_CWORD": "2",
    }  # fmt: skip
    done = subprocess.run(
        ["lpack"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its words, subcommands too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner, subcommand in command.commands.items():
                yield f"{name} {inner}", subcommand


COMMANDS = dict(_commands())


@pytest.mark.parametrize("words", COMMANDS)
def test_help_teaches_by_examples_that_can_be_typed(words: str) -> None:
    command = COMMANDS[words]
    context = click.Context(command, info_name=f"lpack {words}")
    text = command.get_help(context)
    assert max(map(len, text.splitlines())) <= 100
    examples = re.findall(r"^ {2}((?:.* \| )?lpack .*)$", text, re.MULTILINE)
    owner, _, inner = words.partition(" ")
    if inner and not examples:
        examples = re.findall(r"^ {4}(lpack .*)$", COMMANDS[owner].help or "", re.MULTILINE)
    elif not isinstance(command, click.Group):
        assert [line for line in examples if f"lpack {words}" in line], "no example of its own"
    for line in examples:
        _parse(line)


def _parse(line: str) -> None:
    """Parse an example as the command line would, without running it."""
    typed = line[line.index("lpack ") :]
    bare = re.split(r" {2,}| [|>] | # ", typed)[0]
    words = shlex.split(bare)[1:]
    context = click.Context(group, info_name="lpack")
    command: click.Command = group
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
        context = click.Context(command, info_name=name, parent=context)
    command.make_context(command.name, words, parent=context.parent)


def test_every_command_has_a_module_of_its_own() -> None:
    for name in group.list_commands(click.Context(group)):
        assert importlib.import_module(f"packager.cli.{name}").command.name == name


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({}, False),
        ({"NO_COLOR": ""}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_follows_the_environment(
    tmp_path: Path, shell_environment: dict[str, str], variables: dict[str, str], coloured: bool
) -> None:
    environment = {name: value for name, value in shell_environment.items() if name != "NO_COLOR"}
    commands = (["check"], ["check", "nowhere"], ["diff", "dist", "nowhere"], ["bild"])
    for arguments in commands:
        done = subprocess.run(
            ["lpack", *arguments], cwd=tmp_path / "project", env=environment | variables,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ("\x1b[" in done.stdout + done.stderr) is coloured, (arguments, done)


@pytest.fixture
def slow_index(tmp_path: Path) -> Iterator[IndexServer]:
    for name in ("alpha", "beta"):
        build_wheel(tmp_path / "wheels", name, "1.0", files={f"{name}.py": b"A = 1\n" * 9000})
    with IndexServer([tmp_path / "wheels"]) as index:
        yield index


@pytest.mark.parametrize(
    ("options", "on_terminal", "bar"),
    [([], True, True), (["-q"], True, False), ([], False, False)],
)
def test_bars_are_for_people_who_watch(
    tmp_path: Path,
    lpack: LpackRunner,
    slow_index: IndexServer,
    options: list[str],
    on_terminal: bool,
    bar: bool,
) -> None:
    project = tmp_path / "bars"
    project.mkdir()
    (project / "app.py").write_text("def handler(event, context):\n    return event\n")
    (project / "requirements.txt").write_text("alpha\nbeta\n")
    reading, writing = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "packager", "build", "--index-url", slow_index.url, *options],
        cwd=project, env=lpack.environment({"TERM": "xterm"}), stdout=subprocess.PIPE,
        stderr=writing if on_terminal else subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    stdout, stderr = done.communicate()
    said = stderr or b""
    while on_terminal and select.select([reading], [], [], 0)[0]:
        said += os.read(reading, 65536)
    os.close(writing)
    os.close(reading)
    assert done.returncode == 0, said
    said = re.sub(rb"\x1b\[\?25[lh]", b"", said)  # the cursor, hidden and shown
    last = re.findall(rb"([a-z]+ing 2 wheels)  \[[#-]{36}\]  *(\d+)%[^\r\n]*\r?\n", said)
    full = [(b"%s 2 wheels" % doing, b"100") for doing in (b"fetching", b"admitting", b"slimming")]
    assert last == (full if bar else []), said
    assert (b"%" in said) is bar
    assert b"%\r" not in stdout
    if options:
        assert said == b""


def test_functions_built_at_once_draw_one_bar_at_a_time(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    first, second = Console(held=True), Console(held=True)
    for console, title in ((first, "one"), (second, "two")):
        console.begin(title, 2)
        console.advance(1)
    second.end()
    first.advance(1)
    first.end()
    second.begin("three", 1)
    second.end()
    said = capfd.readouterr().err
    assert re.findall("one|two|three", said)[-1] == "three"
    assert "100%" in said
    assert "two" not in said
