"""`lpack trace`."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from packager import __version__
from packager.assemble.output import atomic_output
from packager.cli.console import Console
from packager.cli.invoke import choose_artifact, read_event
from packager.cli.sandbox_options import artifact_options, options_of, sandbox_options
from packager.errors import UsageError
from packager.model.figures import many
from packager.model.trace import Trace
from packager.parsing import parse_json
from packager.pipeline.sandbox import sandbox_of
from packager.slim.traced import split
from packager.verify.trace import (
    TracedSandbox,
    keeps_access_times,
    trace_command,
    trace_event,
    trace_of,
    traceable,
    traced,
)
from packager.wheels.store import Store

DEFAULT_FILE = ".lpack-trace.json"
_FAILED = 1


@click.command("trace")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option(
    "--event",
    "events",
    multiple=True,
    help="An event to answer: JSON text, a file, or - for stdin.",
)
@artifact_options
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(DEFAULT_FILE),
    show_default=True,
    help="Where the trace goes; what is there already is added to.",
)
@click.option("--replace", is_flag=True, help="Forget what earlier traces saw.")
@click.option("--allow-failure", is_flag=True, help="Keep the trace of an event that failed.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For each event, init included.",
)
@sandbox_options
def command(words: tuple[str, ...], events: tuple[str, ...], **values: Any) -> int:  # noqa: ANN401 -- click's values
    """Note which files a built function opens, for `slim = "traced"`.

    Either it answers events, or a test command of yours runs with the artifact first on its
    PYTHONPATH. What nobody opened can then be moved into archives that are unpacked only when
    something in them is needed after all: so trace what the function really does.

    \b
    lpack trace --event order.json --event refund.json
    lpack trace -- python3.11 -m pytest tests
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    if not words and not events:
        raise UsageError("nothing is to be traced", hint="lpack trace --event event.json")
    bodies = [read_event(event) for event in events]
    path, manifest = choose_artifact(values["artifact"], values["function"])
    console = Console(0)
    _tell_untraced(manifest, console)
    earlier = None if values["replace"] else _earlier(values["output"])
    with sandbox_of(
        path.with_name(manifest["artifact"]["path"]),
        manifest,
        store=Store.default(),
        options=options_of(values, function_name=manifest["function"]["name"]),
        reporter=console,
    ) as plain:
        sandbox = traced(plain)
        if not keeps_access_times(sandbox):
            console.warn("the disk keeps no access times: what only C code opens is not seen")
        failures = _run(sandbox, bodies, words, values=values, console=console)
        if failures and not values["allow_failure"]:
            console.warn("nothing was written; --allow-failure keeps the trace all the same")
            return _FAILED
        runs = len(bodies) + bool(words)
        trace = trace_of(sandbox, manifest, lpack=__version__, runs=runs)
    trace = _merge(earlier, trace, values["output"])
    with atomic_output(values["output"]) as output:
        output.write((json.dumps(trace.to_document(), indent=1) + "\n").encode())
    _show(trace, manifest)
    runs_now = many(trace.runs, "run")
    console.step(f"`{values['output']}` knows {runs_now} now; your own files always stay")
    return _FAILED if failures else 0


def _tell_untraced(manifest: Mapping[str, Any], console: Console) -> None:
    """Name what is in layers and archives; raises UsageError when nothing else is there."""
    shipped = [each["name"] for each in manifest["distributions"] if not each["subtracted"]]
    within = {each["name"] for each in traceable(manifest)}
    elsewhere = [name for name in shipped if name not in within]
    if elsewhere and not within:
        raise UsageError(
            f"`{manifest['function']['name']}` has all its distributions in layers or archives, "
            "where a trace sets nothing aside",
            hint="set `layers = []` and no `offload`, then lpack build and trace that",
        )
    if elsewhere:
        console.warn(f"not traced, in a layer or an archive: {', '.join(elsewhere)}")


def _run(
    sandbox: TracedSandbox,
    bodies: list[bytes],
    words: tuple[str, ...],
    *,
    values: dict[str, Any],
    console: Console,
) -> int:
    """Run everything and return how much of it failed."""
    failures = 0
    for number, body in enumerate(bodies, 1):
        answer = trace_event(sandbox, body, timeout_seconds=values["timeout"], on_line=_line)
        if answer.failed:
            failures += 1
            console.warn(f"event {number} failed: {answer.body.decode('utf-8', 'replace')}")
    if words:
        code = trace_command(
            sandbox, words, folder=Path.cwd(), environment=os.environ, on_line=_line
        )
        if code:
            failures += 1
            console.warn(f"`{words[0]}` ended with {code}")
    return failures


def _line(text: str) -> None:
    click.echo(text, err=True)


def _earlier(path: Path) -> Trace | None:
    """Read what earlier traces saw; None when there is nothing."""
    try:
        return Trace.from_document(parse_json(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read `{path}`: {error}", hint="lpack trace --replace") from error


def _merge(earlier: Trace | None, newer: Trace, path: Path) -> Trace:
    if earlier is None:
        return newer
    try:
        return earlier.merged(newer)
    except ValueError as error:
        raise UsageError(
            f"`{path}` cannot be added to: {error}", hint="lpack trace --output OTHER.json"
        ) from error


def _show(trace: Trace, manifest: Mapping[str, Any]) -> None:
    """Say for each distribution how much of it would be moved at least, the largest first."""
    rows: list[tuple[int, str]] = []
    for each in manifest["distributions"]:
        seen = trace.touched(each["name"], each["version"])
        if seen is None:
            continue
        sizes = {row[0]: row[1] for row in each["files"]}
        moved = split(sizes, seen).moved
        if moved:
            moved_bytes = sum(sizes[name] for name in moved)
            count = f"{len(moved):,} of {len(sizes):,} files"
            rows.append((moved_bytes, f"{each['name']} {each['version']}: {count}"))
    for moved_bytes, text in sorted(rows, reverse=True):
        click.echo(f"{moved_bytes / 2**20:8.1f} MiB  {text}")
