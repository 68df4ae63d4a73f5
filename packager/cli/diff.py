"""`lpack diff`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from packager.cli.baselines import read_saved
from packager.cli.gate_outputs import parse_reports, report_option, write_reports
from packager.cli.subjects import not_a_manifest
from packager.errors import UsageError
from packager.gate.against import located
from packager.gate.difference import difference_of
from packager.gate.locating import Locator
from packager.model.baseline import Saved
from packager.model.difference import Difference

_FORMATS = ("text", "json", "markdown")


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("-n", "--rows", type=click.IntRange(min=0), default=12, help="0 shows all.")
@click.option("--output-format", type=click.Choice(_FORMATS), default="text")
@report_option(_FORMATS)
def command(
    old: Path, new: Path, *, rows: int, output_format: str, reports: tuple[str, ...]
) -> int:
    """Tell what changed from OLD to NEW: by distribution with the reason, then by file.

    Each is a manifest, any zip, layer, image or folder, or a saved baseline. Growth is
    explained down to the requirement of this project that caused it.

    \b
    lpack diff main.lpack.json dist/api.lpack.json
    lpack diff before.zip after.zip -n 0
    lpack diff baseline.json dist --output-format markdown
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    wanted = parse_reports(reports, _FORMATS)
    differences = list(_differences(read_saved(old), read_saved(new)))
    renderers = {
        "text": lambda: _text(differences, rows),
        "json": lambda: _json(differences),
        "markdown": lambda: _markdown(differences),
    }
    click.echo(renderers[output_format](), nl=False)
    write_reports(wanted, renderers)
    return 0


def _differences(old: Saved, new: Saved) -> Iterator[Difference]:
    """Hold the functions of both against each other; those that only one has are an error."""
    alone = len(old.manifests) == len(new.manifests) == 1
    locator = Locator(Path.cwd())
    pairs: list[tuple[str, Any, Any]] = [
        (name, old.of(name, alone=alone), manifest) for name, manifest in new.manifests.items()
    ]
    common = [pair for pair in pairs if pair[1] is not None]
    if not common:
        raise UsageError(
            f"`{old.label}` and `{new.label}` have no function in common",
            hint=f"the one has {', '.join(old.manifests)}, the other {', '.join(new.manifests)}",
        )
    for name, before, after in common:
        named = "" if alone else f" {name}"
        labels = (old.label + named, new.label + named)
        try:
            difference = difference_of(before, after, old_label=labels[0], new_label=labels[1])
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise not_a_manifest(*labels) from error
        yield located(difference, locator.requirement)


def _text(differences: list[Difference], rows: int) -> str:
    from packager.report.diff_text import render_differences  # noqa: PLC0415 -- one of three

    return render_differences(differences, rows=rows)


def _json(differences: list[Difference]) -> str:
    from packager.report.gate_document import diff_document, render_document  # noqa: PLC0415

    return render_document(diff_document(differences))


def _markdown(differences: list[Difference]) -> str:
    from packager.report.gate_markdown import render_diff_markdown  # noqa: PLC0415

    return render_diff_markdown(differences)
