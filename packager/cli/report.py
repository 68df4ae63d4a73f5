"""`lpack report`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from packager.cli.gate_outputs import parse_reports, report_option, write_reports
from packager.cli.subjects import (
    SUFFIX,
    find_manifests_of,
    not_a_manifest,
    read_built,
    read_subjects,
)
from packager.errors import UsageError
from packager.pipeline.report import ReportOptions, report_artifact
from packager.report.diff_text import ROWS

_FORMATS = ("text", "json", "markdown", "html", "cyclonedx")
_LARGEST_TIMES_BYTES = 32 << 20

Documents = list[dict[str, Any]]
Subject = tuple[Path, Mapping[str, Any] | None]


@click.command("report")
@click.argument("artifacts", nargs=-1, metavar="[ARTIFACT]...", type=click.Path(path_type=Path))
@click.option("--output-format", type=click.Choice(_FORMATS), default="text")
@report_option(_FORMATS)
@click.option("--baseline", type=click.Path(path_type=Path), help="Compare with this artifact.")
@click.option(
    "--times",
    type=click.Path(path_type=Path),
    help="Start-up times: `lpack verify --output-format json`, or what `-X importtime` wrote.",
)
@click.option("--runtime", metavar="NAME", help="Instead of the manifest's or the guessed one.")
@click.option("--arch", "architecture", metavar="ARCH", help="x86_64 or arm64.")
@click.option("--deep", is_flag=True, help="Read every library and all code, not only names.")
@click.option("-n", "--rows", type=click.IntRange(min=0), default=ROWS, help="0 shows all.")
def command(
    artifacts: tuple[Path, ...],
    *,
    output_format: str,
    reports: tuple[str, ...],
    baseline: Path | None,
    times: Path | None,
    rows: int,
    **looking: Any,  # noqa: ANN401 -- the fields of ReportOptions
) -> int:
    """Report what is in an artifact, what is wrong with it, and what could leave.

    ARTIFACT is what lpack built, or any Lambda zip, layer zip, wheel, folder, OCI layout or
    `docker save` archive of other tools; everything in dist by default.

    \b
    lpack report
    lpack report dist/api.zip --report html=api.html
    lpack report foreign.zip --deep
    lpack report foreign.zip --report cyclonedx=foreign.cdx.json
    lpack report dist/api.zip --baseline main/api.zip --output-format html > api.html
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    wanted = parse_reports(reports, _FORMATS)
    before = read_subjects(baseline)[0].manifest if baseline is not None else None
    measured = _read_times(times) if times is not None else None
    options = ReportOptions(**looking)
    subjects = list(_artifacts(artifacts))
    if "cyclonedx" in (output_format, *(name for name, _ in wanted)):
        _check_bill(subjects)
    documents = [
        _document(path, manifest, options=options, baseline=before, times=measured)
        for path, manifest in subjects
    ]
    renderers = {
        "text": lambda: _text(documents, rows, before),
        "json": lambda: _json(documents),
        "markdown": lambda: _markdown(documents),
        "html": lambda: _html(documents),
        "cyclonedx": lambda: _bill(*subjects[0], options),
    }
    click.echo(renderers[output_format](), nl=False)
    write_reports(wanted, renderers)
    return 0


def _document(
    path: Path,
    manifest: Mapping[str, Any] | None,
    **details: Any,  # noqa: ANN401 -- as below
) -> dict[str, Any]:
    try:
        return report_artifact(path, manifest=manifest, **details)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        if manifest is None and details["baseline"] is None:
            raise
        # What others' artifacts hold is checked where it is read: a manifest was altered.
        raise not_a_manifest(f"{path.stem}{SUFFIX}") from error


def _artifacts(given: tuple[Path, ...]) -> Iterator[Subject]:
    """Yield every artifact with lpack's manifest of it; of others' there is none."""
    for path in given:
        if not find_manifests_of(path):
            yield path, None
    own = [subject for path in given if find_manifests_of(path) for subject in read_subjects(path)]
    for subject in own if given else read_built(Path("dist")):
        if not subject.artifact.exists():
            raise UsageError(f"`{subject.label}` is not there", hint="lpack build")
        yield subject.artifact, subject.manifest


def _read_times(path: Path) -> dict[str, Any]:
    from packager.pipeline.times import read_times  # noqa: PLC0415 -- only with --times

    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_TIMES_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}") from error
    times = read_times(data.decode("utf-8", "replace"))
    if times is None:
        raise UsageError(
            f"`{path}` holds no start-up times",
            hint=f"lpack verify --output-format json > {path}",
        )
    return times


def _text(documents: Documents, rows: int, baseline: Mapping[str, Any] | None) -> str:
    from packager.gate.difference import difference_of  # noqa: PLC0415 -- one of four
    from packager.report.artifact_text import render_artifact_text  # noqa: PLC0415
    from packager.report.diff_text import render_differences  # noqa: PLC0415

    blocks = []
    for document in documents:
        blocks.append(render_artifact_text(document, rows=rows))
        if baseline is not None:
            labels = (baseline["artifact"]["path"], document["artifact"]["path"])
            difference = difference_of(
                baseline, document, old_label=labels[0], new_label=labels[1], with_files=False
            )
            blocks.append(render_differences([difference], rows=rows))
    return "\n".join(blocks)


def _json(documents: Documents) -> str:
    # One artifact is the report itself; several are a list of them.
    found = documents[0] if len(documents) == 1 else documents
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n"


def _markdown(documents: Documents) -> str:
    from packager.report.artifact_markdown import render_artifact_markdown  # noqa: PLC0415

    return render_artifact_markdown(documents)


def _html(documents: Documents) -> str:
    from packager.report.html_page import render_html  # noqa: PLC0415

    return render_html(documents)


def _check_bill(subjects: Sequence[Subject]) -> None:
    """Raise UsageError, before anything is looked at, when there can be no bill of materials."""
    from packager.report.cyclonedx import check_extra  # noqa: PLC0415 -- one of five

    check_extra()
    if len(subjects) != 1:
        raise UsageError(
            f"a bill of materials is of one artifact, and {len(subjects)} are named",
            hint=f"lpack report {subjects[0][0] if subjects else 'ARTIFACT'} "
            "--report cyclonedx=bill.cdx.json",
        )


def _bill(path: Path, manifest: Mapping[str, Any] | None, options: ReportOptions) -> str:
    from packager.pipeline.bill import bill_of  # noqa: PLC0415 -- one of five

    runtime, architecture = options.runtime, options.architecture
    return bill_of(path, manifest=manifest, runtime=runtime, architecture=architecture)
