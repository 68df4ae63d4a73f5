"""`lpack why`."""

import json
from pathlib import Path

import click

from packager.cli.manifests import find_manifests, read_manifest
from packager.errors import UsageError
from packager.report.why import (
    find_dropped,
    find_owner,
    nearest_names,
    render_dropped,
    render_file,
    render_why,
)


@click.command("why")
@click.argument("name")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    help="A manifest, an artifact beside one, or a folder of them; dist by default.",
)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
def command(name: str, manifest: Path | None, output_format: str) -> None:
    """Explain why a distribution, or a file of the zip, is there or is not.

    \b
    lpack why botocore
    lpack why numpy/linalg/_umath_linalg.cpython-313-x86_64-linux-gnu.so
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    paths = find_manifests(manifest)
    manifests = [read_manifest(path) for path in paths]
    found = [(each, *find_owner(each, name)) for each in manifests]
    found = [each for each in found if each[1] is not None or each[2] is not None]
    dropped = [(each, hit) for each in manifests if (hit := find_dropped(each, name))]
    if not found and not dropped:
        near = sorted({n for each in manifests for n in nearest_names(each, name)})
        raise UsageError(
            f"no distribution or file is called `{name}` in {', '.join(p.name for p in paths)}",
            hint=f"lpack why {near[0]}" if near else None,
        )
    for each, (owner, left_out) in dropped:
        if output_format == "json":
            click.echo(json.dumps({"distribution": owner, "dropped": left_out}))
        else:
            click.echo(render_dropped(each, owner, left_out), nl=False)
    for each, distribution, row in found:
        if output_format == "json":
            click.echo(json.dumps({"distribution": distribution, "file": row}))
        elif row is not None:
            click.echo(render_file(each, distribution, row), nl=False)
        elif distribution is not None:
            click.echo(render_why(each, distribution), nl=False)
