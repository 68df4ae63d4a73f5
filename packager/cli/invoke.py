"""`lpack invoke`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from packager.cli.console import Console, say, styled
from packager.cli.manifests import find_manifests, read_manifest
from packager.cli.sandbox_options import artifact_options, options_of, sandbox_options
from packager.errors import UsageError
from packager.model.finding import Finding
from packager.parsing import parse_json
from packager.pipeline.sandbox import invoke_artifact
from packager.verify.serving import Answer
from packager.wheels.store import Store

_FUNCTION_FAILED = 1
_COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command("invoke")
@click.argument("event", default="{}")
@artifact_options
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For init and handler together.",
)
@click.option(
    "--emulator",
    type=click.Choice(["auto", "aws", "none"]),
    default="auto",
    help="aws: the Runtime Interface Emulator; auto: if there is one.",
)
@sandbox_options
@click.option("-q", "--quiet", is_flag=True, help="Show the function's own output only.")
def command(event: str, **values: Any) -> int:  # noqa: ANN401 -- click's values
    """Let a built function answer EVENT: JSON text, a file with JSON, or - for stdin.

    The answer goes to stdout, what the function logs to stderr. The handler runs with the
    runtime's own client and packages, in a folder like Lambda's, on this machine.

    \b
    lpack invoke '{"path": "/"}'
    lpack invoke event.json --function api --env TABLE=orders
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    body = read_event(event)
    path, manifest = choose_artifact(values["artifact"], values["function"])
    console = Console(-1 if values["quiet"] else 0)
    answer = _invoke(path, manifest, body, values=values, console=console)
    click.echo(answer.body.decode("utf-8", "replace"))
    for finding in answer.findings:
        _show(finding)
    for name, milliseconds in (("init", answer.init_ms), ("handler", answer.handler_ms)):
        if milliseconds is not None:
            console.step(f"{name} took {milliseconds:,.0f} ms here")
    console.step(f"answered through {answer.through}")
    bad = answer.failed or any(finding.level == "error" for finding in answer.findings)
    return _FUNCTION_FAILED if bad else 0


def _invoke(
    path: Path,
    manifest: Mapping[str, Any],
    body: bytes,
    *,
    values: dict[str, Any],
    console: Console,
) -> Answer:
    try:
        options = options_of(values, function_name=manifest["function"]["name"])
        return invoke_artifact(
            path.with_name(manifest["artifact"]["path"]),
            manifest,
            body,
            store=Store.default(),
            options=options,
            reporter=console,
            on_line=lambda line: click.echo(line, err=True),
        )
    except (KeyError, TypeError) as error:
        raise UsageError(f"`{path}` is not a manifest of lpack", hint="lpack build") from error


def read_event(text: str) -> bytes:
    """Read the event; raises UsageError when it is no JSON."""
    if text == "-":
        return _json(sys.stdin.buffer.read(), "stdin")
    try:
        parse_json(text)
    except ValueError:
        pass
    else:
        return text.encode()
    path = Path(text)
    try:
        return _json(path.read_bytes(), text)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"`{text}` is neither JSON nor a file", hint='lpack invoke \'{"key": "value"}\''
        ) from error


def _json(data: bytes, origin: str) -> bytes:
    try:
        parse_json(data)
    except ValueError as error:
        raise UsageError(f"`{origin}` is not JSON: {error}") from error
    return data


def choose_artifact(
    artifact: Path | None, name: str | None, *, choosing: str = "lpack invoke --function"
) -> tuple[Path, Mapping[str, Any]]:
    """Return the one manifest that is meant, and its place; raises UsageError for several.

    `choosing` is the command that takes a function's name behind it.
    """
    found = [(path, read_manifest(path)) for path in find_manifests(artifact)]
    names = [str(manifest.get("function", {}).get("name")) for _, manifest in found]
    if name is not None:
        found = [each for each, known in zip(found, names, strict=True) if known == name]
        if not found:
            raise UsageError(f"no function is called `{name}`", hint=f"{choosing} {names[0]}")
    if len(found) > 1:
        raise UsageError(
            f"there are {len(found)} functions: {', '.join(names)}",
            hint=f"{choosing} {names[0]}",
        )
    return found[0]


def _show(finding: Finding) -> None:
    word = styled(f"{finding.level}:", fg=_COLORS[finding.level], bold=True)
    say(f"{word} {finding.message}")
    for detail in finding.details:
        say(f"  {detail}")
    if finding.hint:
        say(f"{styled('hint:', fg='cyan', bold=True)} {finding.hint}")
