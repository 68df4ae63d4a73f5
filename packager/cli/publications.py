"""What the commands that publish to AWS have in common: their options, and what they print."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from packager.cli.console import say
from packager.model.publication import Publication
from packager.report.text import mib

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--s3", "place", metavar="URL", help="s3://BUCKET/KEY, or s3://BUCKET/FOLDER/."),
    click.option(
        "--artifact",
        type=click.Path(path_type=Path),
        help="The artifact or its manifest, or a folder of them; dist by default.",
    ),
    click.option("--region", metavar="NAME", help="Instead of AWS's own configuration."),
    click.option("--profile", metavar="NAME", help="Likewise."),
    click.option("--dry-run", is_flag=True, help="Only tell what would be done."),
    click.option("--output-format", type=click.Choice(["text", "json"]), default="text"),
    click.option("-q", "--quiet", is_flag=True, help="Print results and errors only."),
)


def aws_options(command: _Command) -> _Command:
    """Add the options that both commands have."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def show(published: Sequence[Publication], output_format: str, *, quiet: bool) -> None:
    """Print what became of each: places on stdout, the story on stderr."""
    if output_format == "json":
        rows = [each._asdict() for each in published]
        click.echo(json.dumps({"schema_version": 1, "published": rows}, indent=1))
        return
    for each in published:
        if not quiet:
            say(f"{each.place}: {_told(each)}, CodeSha256 {each.code_sha256}")
        version = f"?versionId={each.version}" if each.kind == "object" and each.version else ""
        click.echo(each.place + version)


def _told(published: Publication) -> str:
    if published.outcome == "unchanged":
        return "there already"
    if published.outcome == "would-upload":
        return f"would get {mib(published.compressed_bytes)}"
    if published.kind == "object":
        return f"{mib(published.sent_bytes)} uploaded"
    return "has it now"
