"""Where reports go: stdout, `--report FORMAT=PATH`, and the files that GitHub Actions reads.

Every report is written before the command fails.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from packager.errors import CannotBuild, UsageError

_MOST_SUMMARY_BYTES = 1024 * 1024
"""GitHub refuses the whole summary of a step that is larger (docs, "Adding a job summary")."""

Renderers = Mapping[str, Callable[[], str]]


def report_option(formats: tuple[str, ...]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Return the option `--report FORMAT=PATH`, repeatable."""
    return click.option(
        "--report",
        "reports",
        multiple=True,
        metavar="FORMAT=PATH",
        help=f"Write a report too: {', '.join(formats)}; - is stdout. Repeatable.",
    )


def parse_reports(texts: tuple[str, ...], formats: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (format, path) of every `--report`; raises UsageError before anything is done."""
    parsed = []
    for text in texts:
        name, equals, path = text.partition("=")
        if name not in formats:
            raise UsageError(
                f"`--report {text}`: `{name}` is not a format",
                hint=f"one of {', '.join(formats)}, as in --report markdown=report.md",
            )
        if not equals or not path:
            raise UsageError(
                f"`--report {text}` has no path", hint=f"--report {name}={name}-report.txt"
            )
        parsed.append((name, path))
    return parsed


def write_reports(reports: list[tuple[str, str]], renderers: Renderers) -> None:
    """Write every report; raises CannotBuild when the disk does not take one."""
    for name, path in reports:
        text = renderers[name]()
        if path == "-":
            click.echo(text, nl=False)
            continue
        # Loaded here because most checks write nothing and have to start quickly.
        from packager.assemble.output import atomic_output  # noqa: PLC0415

        try:
            with atomic_output(Path(path)) as output:
                output.write(text.encode())
        except OSError as error:
            raise CannotBuild(f"cannot write `{path}`: {error.strerror}") from error


def write_step_files(*, summary: Callable[[], str], outputs: Callable[[str], str]) -> None:
    """Append the summary and the outputs to the files that GitHub Actions names, if it does.

    This adds to what the command does and changes neither stdout nor the exit code.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        text = summary()
        used = Path(path).stat().st_size if Path(path).is_file() else 0
        if used + len(text.encode()) <= _MOST_SUMMARY_BYTES:
            _append(path, text)
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        _append(path, outputs(f"lpack-{os.urandom(8).hex()}"))


def way_from_repository(*variables: str) -> str:
    """Return the way from the root of the repository to here, empty or with a slash at the end.

    `variables` name the root: GitHub and GitLab take paths from there, lpack gives them from
    where it runs.
    """
    for variable in variables:
        root = os.environ.get(variable)
        if root and Path(root).is_dir():
            way = os.path.relpath(Path.cwd(), Path(root).resolve()).replace(os.sep, "/")
            return "" if way == "." or way.startswith("..") else f"{way}/"
    return ""


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CannotBuild(f"cannot write `{path}`: {error.strerror}") from error
