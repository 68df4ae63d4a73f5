"""`lpack why`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from packager.cli import completion
from packager.cli.subjects import Subject, not_a_manifest, read_built, read_subjects
from packager.errors import UsageError
from packager.model.figures import mib
from packager.report.why import (
    chains_to,
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
    "--artifact",
    "--manifest",
    "artifact",
    type=click.Path(path_type=Path),
    help="A manifest, an artifact of lpack or of others, or a folder of them; dist by default.",
)
@click.option("--no-imports", is_flag=True, help="Do not read the code for who imports it.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
def command(name: str, artifact: Path | None, *, no_imports: bool, output_format: str) -> None:
    """Explain why a distribution, or a file of an artifact, is there or is not.

    Shows every chain of requirements with the line that began it, how the code comes to import
    it, what would leave with it, and what was decided about it.

    \b
    lpack why botocore
    lpack why numpy/linalg/_umath_linalg.cpython-313-x86_64-linux-gnu.so
    lpack why six --artifact foreign.zip
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    subjects = read_built(Path("dist")) if artifact is None else read_subjects(artifact)
    try:
        told = [text for each in subjects for text in _told(each, name, output_format, no_imports)]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        if all(each.manifest.get("foreign") for each in subjects):
            raise
        raise not_a_manifest(*(each.label for each in subjects)) from error
    if not told:
        near = sorted({n for each in subjects for n in nearest_names(each.manifest, name)})
        labels = ", ".join(each.label for each in subjects)
        chosen = "" if artifact is None else f" --artifact {artifact}"
        raise UsageError(
            f"no distribution or file is called `{name}` in {labels}",
            hint=f"lpack why {near[0]}{chosen}" if near else None,
        )
    click.echo("".join(told), nl=False)


def _told(subject: Subject, name: str, output_format: str, no_imports: bool) -> list[str]:
    """Return everything that `subject` has to say of `name`."""
    manifest = subject.manifest
    as_json = output_format == "json"
    told = []
    left_out = find_dropped(manifest, name)
    if left_out is not None:
        owner, dropped = left_out
        document: dict[str, Any] = {"distribution": owner, "dropped": dropped}
        told.append(_line(document) if as_json else render_dropped(manifest, owner, dropped))
    distribution, row = find_owner(manifest, name)
    if row is not None:
        document = {"distribution": distribution, "file": row}
        told.append(_line(document) if as_json else render_file(manifest, distribution, row))
    elif distribution is not None:
        told.append(_distribution(subject, distribution, as_json=as_json, no_imports=no_imports))
    return told


def _distribution(
    subject: Subject, distribution: Mapping[str, Any], *, as_json: bool, no_imports: bool
) -> str:
    manifest, name = subject.manifest, distribution["name"]
    imports = None
    if not no_imports and subject.artifact.exists():
        from packager.pipeline.why import import_chain  # noqa: PLC0415 -- reads the artifact

        imports = import_chain(subject.artifact, manifest, name, project=Path.cwd())
    if as_json:
        chains = [
            {"declared": _spot(chain[0][0], chain[1][0]) or chain[0][0]}
            | {"steps": [list(step) for step in chain[1:]]}
            for chain in chains_to(manifest, name)
        ]
        found = None if imports is None else [step._asdict() for step in imports.steps]
        document = {"distribution": distribution, "file": None}
        return _line({**document, "chains": chains, "imports": found})
    text = render_why(manifest, distribution, locate=_spot, imports=imports)
    if name in _WITH_SERVICES and not distribution["subtracted"]:
        text += _services(subject.artifact, manifest)
    return text


def _spot(origin: str, name: str) -> str | None:
    """Return the file and the line where the project asks for `name`."""
    from packager.gate.locating import Locator  # noqa: PLC0415 -- reads files of the project

    found = Locator(Path.cwd()).requirement(origin, name)
    return None if found is None else f"{found.file}:{found.line}"


def _line(document: Mapping[str, Any]) -> str:
    return json.dumps(document) + "\n"


def _services(artifact: Path, manifest: Mapping[str, Any]) -> str:
    """Tell which services the code names, and what naming them in the settings would save."""
    from packager.pipeline.services import propose  # noqa: PLC0415 -- for few distributions

    if not artifact.is_file() or manifest["artifact"]["kind"] != "zip":
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
