"""`lpack check`."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from packager.cli import completion
from packager.cli.console import painted
from packager.cli.gate_outputs import (
    parse_reports,
    report_option,
    way_from_repository,
    write_reports,
    write_step_files,
)
from packager.cli.places import ProjectLines
from packager.cli.subjects import (
    SUFFIX,
    Subject,
    not_a_manifest,
    read_built,
    read_subjects,
)
from packager.errors import UsageError
from packager.gate.judge import Baseline, judge
from packager.gate.places import Places
from packager.gate.rules import found
from packager.inputs.budgets import parse_budget_options
from packager.inputs.configuration_file import Configuration, read_configuration
from packager.model.baseline import Saved
from packager.model.budget import Budgets
from packager.model.verdict import GateFinding, Verdict
from packager.parsing import parse_json
from packager.report.gate_text import render_verdicts
from packager.runtime.targets import runtime_names

_FAILED = 1
_FORMATS = ("text", "json", "markdown", "github", "gitlab", "openmetrics")


@click.command("check")
@click.argument("artifacts", nargs=-1, shell_complete=completion.functions_or_files)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    help="A saved manifest or baseline to hold the artifacts against.",
)
@click.option(
    "--save-baseline",
    type=click.Path(path_type=Path),
    help="Write the manifests and the commit for a later --baseline.",
)
@click.option("--base", metavar="BRANCH", help="Where the change goes; tells stale baselines.")
@click.option(
    "--budget", "budget_texts", multiple=True, metavar="KEY=VALUE", help='Such as zip="20 MiB".'
)
@click.option(
    "--verified",
    type=click.Path(path_type=Path),
    help="What `lpack verify --output-format json` printed, for the budget `init`.",
)
@click.option("--output-format", type=click.Choice(_FORMATS), default="text")
@report_option(_FORMATS)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--config", type=click.Path(path_type=Path), help="Instead of pyproject.toml.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(artifacts: tuple[str, ...], **values: Any) -> int:  # noqa: ANN401 -- click's values
    """Hold built artifacts against AWS's limits, your budgets and a baseline; offline.

    ARTIFACT is a manifest, a zip (also of other tools), a folder of them or the name of a
    function; all in dist by default. Budgets stand in [tool.lpack.budgets]. Errors end in exit
    code 1, after every report was written.

    \b
    lpack check
    lpack check --save-baseline main.json       on the base branch
    lpack check --baseline main.json            on a change to it
    lpack check api --budget zip="20 MiB" --report markdown=report.md
    lpack check --output-format github          annotations on the lines to blame
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    reports = parse_reports(values["reports"], _FORMATS)
    configuration = read_configuration(Path.cwd(), values["config"], runtimes=runtime_names())
    subjects = _subjects(artifacts, configuration)
    saved, shared = _baseline(values["baseline"], base=values["base"])
    verdicts = _judge(subjects, configuration, saved=saved, shared=shared, values=values)
    renderers = _renderers(verdicts, quiet=values["quiet"])
    click.echo(renderers[values["output_format"]](), nl=False, color=True)
    write_reports(reports, renderers)
    _tell_github(verdicts)
    if values["save_baseline"] is not None:
        from packager.cli.baselines import save_baseline  # noqa: PLC0415 -- as below

        save_baseline(values["save_baseline"], (subject.manifest for subject in subjects))
    bad = any(
        not verdict.passed or (values["strict"] and verdict.number_of("warning"))
        for verdict in verdicts
    )
    return _FAILED if bad and not values["exit_zero"] else 0


def _subjects(artifacts: Sequence[str], configuration: Configuration) -> list[Subject]:
    """Return what is to be checked; a name of a function is what was built of it."""
    if not artifacts:
        return read_built(Path(configuration.defaults.target_dir or "dist"))
    subjects = []
    for text in artifacts:
        path = Path(text)
        built = _built(text, configuration)
        subjects.extend(read_subjects(built if built.is_file() and not path.exists() else path))
    return subjects


def _built(function: str, configuration: Configuration) -> Path:
    """Return where the manifest of `function` is written."""
    own = configuration.functions.get(function)
    folder = (own.target_dir if own else None) or configuration.defaults.target_dir or "dist"
    return Path(folder) / f"{function}{SUFFIX}"


def _own_findings(subject: Subject) -> tuple[GateFinding, ...]:
    """Look at the artifact itself: its length, which is quick; all of one that others made."""
    if subject.manifest.get("foreign"):
        # Loaded here because a check of a manifest must not be slower for it.
        from packager.cli.foreign_findings import foreign_findings  # noqa: PLC0415

        return tuple(foreign_findings(subject.artifact))
    artifact = subject.manifest["artifact"]
    claimed = artifact["compressed_bytes"]
    if artifact["kind"] != "image" and subject.artifact.is_file():
        real = subject.artifact.stat().st_size
        if real != claimed:
            message = (
                f"`{subject.label}` has {real:,} bytes, its manifest says {claimed:,}: it is not "
                "what was built"
            )
            return (found("artifact-differs", message),)
    return ()


def _baseline(
    path: Path | None, *, base: str | None
) -> tuple[Saved | None, tuple[GateFinding, ...]]:
    """Read the baseline, and tell of one that is absent or stale; absent is no error."""
    if path is None:
        return None, ()
    if not path.exists():
        message = f"there is no baseline `{path}`, so growth was not held against anything"
        return None, (found("baseline-missing", message),)
    # Loaded here because a check without a baseline has to start quickly, and needs no git.
    from packager.cli.baselines import read_saved, staleness_findings  # noqa: PLC0415

    saved = read_saved(path)
    return saved, staleness_findings(saved, base=base)


def _judge(
    subjects: Sequence[Subject],
    configuration: Configuration,
    *,
    saved: Saved | None,
    shared: tuple[GateFinding, ...],
    values: Mapping[str, Any],
) -> list[Verdict]:
    asked = parse_budget_options(values["budget_texts"])
    times = _init_times(values["verified"])
    lines = ProjectLines(configuration)
    verdicts = []
    for subject in subjects:
        name = subject.manifest["function"]["name"]
        baseline = None
        if saved is not None:
            manifest = saved.of(name, alone=len(subjects) == 1)
            baseline = Baseline(saved.label, manifest, shared)
        verdict = _judged(
            subject,
            asked.over(configuration.budgets_of(name)),
            places=lines.of(name),
            baseline=baseline,
            init_ms=times.get(subject.artifact.name),
            shared=shared if saved is None else (),
        )
        verdicts.append(verdict)
    return verdicts


def _judged(
    subject: Subject,
    budgets: Budgets,
    *,
    places: Places,
    baseline: Baseline | None,
    init_ms: float | None,
    shared: tuple[GateFinding, ...],
) -> Verdict:
    """Judge; what has the keys of a manifest and is none nevertheless is the user's mistake."""
    try:
        return judge(
            subject.manifest,
            budgets,
            label=subject.label,
            places=places,
            baseline=baseline,
            init_ms=init_ms,
            findings=(*_own_findings(subject), *shared),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        names = [subject.label, *([baseline.label] if baseline is not None else [])]
        raise not_a_manifest(*names) from error


def _init_times(path: Path | None) -> dict[str, float]:
    """Return by file name how long importing each handler took, in ms; raises UsageError."""
    if path is None:
        return {}
    try:
        rows = parse_json(path.read_text(encoding="utf-8"))["verified"]
        return {
            Path(row["artifact"]).name: float(row["import_ms"])
            for row in rows
            if row["import_ms"] is not None
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"`{path}` is not what `lpack verify` prints as JSON",
            hint="lpack verify --output-format json > verified.json",
        ) from error


def _renderers(verdicts: Sequence[Verdict], *, quiet: bool) -> dict[str, Any]:
    """Return how to render each format; their modules are loaded when they are asked for."""

    def text() -> str:
        return render_verdicts(verdicts, paint=painted, quiet=quiet)

    def as_json() -> str:
        from packager.report.gate_document import (  # noqa: PLC0415
            check_document,
            render_document,
        )

        return render_document(check_document(verdicts))

    def markdown() -> str:
        from packager.report.gate_markdown import render_check_markdown  # noqa: PLC0415

        return render_check_markdown(verdicts)

    def github() -> str:
        from packager.report.github import render_annotations  # noqa: PLC0415

        return render_annotations(verdicts, prefix=way_from_repository("GITHUB_WORKSPACE"))

    def gitlab() -> str:
        from packager.report.gitlab import render_code_quality  # noqa: PLC0415

        return render_code_quality(verdicts, prefix=way_from_repository("CI_PROJECT_DIR"))

    def openmetrics() -> str:
        from packager.report.openmetrics import render_openmetrics  # noqa: PLC0415

        return render_openmetrics(verdicts)

    listed = (text, as_json, markdown, github, gitlab, openmetrics)
    return dict(zip(_FORMATS, listed, strict=True))


def _tell_github(verdicts: Sequence[Verdict]) -> None:
    if not (os.environ.get("GITHUB_STEP_SUMMARY") or os.environ.get("GITHUB_OUTPUT")):
        return
    from packager.report.gate_markdown import render_check_markdown  # noqa: PLC0415
    from packager.report.github import render_outputs, step_outputs  # noqa: PLC0415

    write_step_files(
        summary=lambda: render_check_markdown(verdicts),
        outputs=lambda delimiter: render_outputs(step_outputs(verdicts), delimiter=delimiter),
    )
