"""`lpack why`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from packager.cli import completion
from packager.cli.manifests import find_manifests, read_manifest
from packager.errors import UsageError
from packager.report.text import mib
from packager.report.why import (
    find_dropped,
    find_owner,
    nearest_names,
    render_dropped,
    render_file,
    render_why,
)

_WITH_SERVICES = ("boto3", "botocore", "google-api-python-client")
_MOST_CALLS = 5


@click.command("why")
@click.argument("name", shell_complete=completion.distributions)
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
            if distribution["name"] in _WITH_SERVICES and not distribution["subtracted"]:
                path = paths[manifests.index(each)].with_name(each["artifact"]["path"])
                click.echo(_services(path, each), nl=False)


def _services(artifact: Path, manifest: Mapping[str, Any]) -> str:
    """Tell which services the code names, and what naming them in the settings would save."""
    from packager.pipeline_services import propose  # noqa: PLC0415 -- for few distributions

    if not artifact.is_file():
        return ""
    lines = []
    for proposal in propose(artifact, manifest):
        listed = ", ".join(f'"{name}"' for name in proposal.services)
        lines.append(
            f"  services: the code in this zip names {', '.join(proposal.services)}; "
            f"`services = {{ {proposal.owner} = [{listed}] }}` saves "
            f"{mib(proposal.compressed_bytes)} zipped, {mib(proposal.uncompressed_bytes)} unzipped"
        )
        lines.extend(f"    not written there: {call}" for call in proposal.uncertain[:_MOST_CALLS])
    return "".join(f"{line}\n" for line in lines)
