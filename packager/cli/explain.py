"""`lpack explain`."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from packager.cli.console import say, styled
from packager.cli.manifests import find_manifests, read_manifest
from packager.errors import UsageError
from packager.pipeline.explain import explain_text
from packager.report.explanation import explanation_rows, render_explanations

_UNKNOWN = 1
_MOST_CHARACTERS = 64 << 20
_DEFAULT_FOLDER = Path("dist")


@click.command("explain")
@click.argument("words", nargs=-1, metavar="[ERROR TEXT]")
@click.option(
    "--artifact",
    type=click.Path(path_type=Path),
    help="An artifact or its manifest, or a folder of them, to look the cause up in; what is in "
    "dist when there is any.",
)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
def command(words: tuple[str, ...], artifact: Path | None, output_format: str) -> int:
    """Explain an error line of AWS, of the loader or of Python, and name what causes it.

    The text may be a whole log on standard input. The exit code is 1 when nothing in it is
    known.

    \b
    lpack explain "/lib64/libc.so.6: version `GLIBC_2.28' not found"
    aws logs tail /aws/lambda/api | lpack explain --artifact dist/api.zip
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    text = " ".join(words) if words and words != ("-",) else _standard_input()
    explanations = explain_text(text, _artifacts(artifact))
    if output_format == "json":
        rows = explanation_rows(explanations)
        click.echo(json.dumps({"schema_version": 1, "explained": rows}, indent=1))
    else:
        click.echo(render_explanations(explanations), nl=False)
    if not explanations:
        _say_unknown(text)
    return 0 if explanations else _UNKNOWN


def _standard_input() -> str:
    """Read the log; raises UsageError where nobody pipes one in."""
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("there is no text to explain", hint='lpack explain "ERROR TEXT"')
    data = sys.stdin.buffer.read(_MOST_CHARACTERS)
    if not data.strip():
        raise UsageError("standard input is empty", hint='lpack explain "ERROR TEXT"')
    return data.decode("utf-8", "replace")


def _artifacts(given: Path | None) -> Sequence[tuple[Path, Mapping[str, Any]]]:
    """Return what to look causes up in: what is named, or what was built here, if anything."""
    if given is None and not any(_DEFAULT_FOLDER.glob("*.lpack.json")):
        return ()
    found = []
    for path in find_manifests(given):
        manifest = read_manifest(path)
        found.append((path.with_name(manifest["artifact"]["path"]), manifest))
    return found


def _say_unknown(text: str) -> None:
    lines = len(text.splitlines())
    what = "this line" if lines == 1 else f"these {lines:,} lines"
    say(f"{styled('error:', fg='red', bold=True)} nothing in {what} is an error lpack knows")
    say(f"{styled('hint:', fg='cyan', bold=True)} lpack verify looks for causes without a text")
