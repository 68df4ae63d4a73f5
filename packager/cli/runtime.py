"""`lpack runtime`."""

import json
from typing import Any

import click

from packager.cli import completion
from packager.report.runtime import render_runtime, render_runtimes, runtime_document
from packager.runtime.capture import capture_handler_source
from packager.runtime.catalog import load_catalog
from packager.runtime.targets import load_target, runtime_names


@click.command("runtime")
@click.argument("name", required=False, shell_complete=completion.runtimes)
@click.option("--arch", "architecture", default="x86_64", help="x86_64 or arm64.")
@click.option("--kind", default="lambda", help="lambda, or edge for Lambda@Edge.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
def command(name: str | None, architecture: str, kind: str, output_format: str) -> None:
    """List the runtimes, show what one is and provides, or print a handler that captures it.

    \b
    lpack runtime
    lpack runtime python3.13 --arch arm64
    lpack runtime capture > capture.py    deploy it, invoke it, keep its answer,
                                          and build with --catalog ANSWER.json
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    if name == "capture":
        click.echo(capture_handler_source(), nl=False)
        return
    names = runtime_names() if name is None else (name,)
    targets = [load_target(each, architecture, kind) for each in names]
    documents: list[dict[str, Any]] = [
        runtime_document(target, load_catalog(target.runtime)) for target in targets
    ]
    if output_format == "json":
        click.echo(json.dumps(documents if name is None else documents[0], indent=2))
    elif name is None:
        click.echo(render_runtimes(documents), nl=False)
    else:
        click.echo(render_runtime(documents[0]), nl=False)
