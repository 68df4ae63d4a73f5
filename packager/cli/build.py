"""`lpack build`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from packager.cli.console import Console, render_error
from packager.cli.options import function_options, overrides_of
from packager.cli.unchanged import is_settled, now_ns, remember
from packager.errors import LpackError
from packager.inputs.configuration import load_project
from packager.inputs.source_tree import collect_source
from packager.model.build import Build
from packager.model.project import Function, SourceTree
from packager.pipeline import (
    BuildOptions,
    artifact_path,
    build_function,
    default_runtime,
    inputs_of,
    manifest_path,
    runtime_names,
)
from packager.report.text import largest, mib, render_build
from packager.wheels.store import Store

_LIMIT_PASSED = 1


@click.command("build")
@click.argument("functions", nargs=-1)
@function_options
@click.option("--frozen", is_flag=True, help="Resolve nothing anew: a lock or a remembered build.")
@click.option("--offline", is_flag=True, help="Use no network.")
@click.option("--upgrade", is_flag=True, help="Forget the remembered resolution.")
@click.option("--lock", "write_lock", is_flag=True, help="Write pylock.toml next to the project.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What to print on stdout; the manifest is always written.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option("-v", "--verbose", is_flag=True, help="Tell more of what is done.")
def command(functions: tuple[str, ...], **values: Any) -> int:  # noqa: ANN401 -- click's values
    """Build the zips of this project's functions, all of them unless some are named.

    \b
    lpack build
    lpack build api worker
    lpack build --handler src/main.py:handler --runtime python3.13 --arch arm64
    lpack build --requirements requirements.txt --upload s3
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    started_ns = now_ns()
    flags = {name: values.pop(name) for name in ("frozen", "offline", "upgrade", "write_lock")}
    output_format, quiet, verbose = (
        values.pop(name) for name in ("output_format", "quiet", "verbose")
    )
    console = Console(-1 if quiet else int(verbose))
    root = Path.cwd()
    chosen = load_project(
        root,
        overrides_of(values),
        runtimes=runtime_names(),
        default_runtime=default_runtime(),
        names=functions,
    )
    store = Store.default()
    built = [
        _build(function, store=store, options=BuildOptions(**flags), console=console)
        for function in chosen
    ]
    builds = [build for build, _ in built]
    stdout = _render(builds, output_format)
    click.echo(stdout, nl=False)
    stderr = "".join(_refusal(build) for build in builds if not build.measurement.fits)
    click.echo(stderr, err=True, nl=False, color=True)
    exit_code = _LIMIT_PASSED if stderr else 0
    if not flags["write_lock"] and not flags["upgrade"] and not console.warnings:
        inputs = [path for each in built for path in _inputs(*each, store=store)]
        if is_settled(inputs, started_ns):
            outputs = [str(path) for function in chosen for path in _outputs(function)]
            answer = (stdout, stderr, exit_code)
            remember(store, sys.argv[1:], paths=[*inputs, *outputs], answer=answer)
    return exit_code


def _build(
    function: Function, *, store: Store, options: BuildOptions, console: Console
) -> tuple[Build, SourceTree]:
    for guess in function.guesses:
        console.step(f"{function.name}: {guess.setting} = {guess.value} ({guess.because})")
    tree = collect_source(function)
    if not tree.files:
        console.warn(f"{function.name}: no file of your own code is in the zip")
    build_one = build_function
    if function.package_type == "image":
        # Loaded here because zips need nothing of it.
        from packager.pipeline_image import build_image as build_one  # noqa: PLC0415

    build = build_one(function, tree, store=store, options=options, reporter=console)
    return build, tree


def _outputs(function: Function) -> list[Path]:
    if function.package_type == "image":
        from packager.pipeline_image import image_outputs  # noqa: PLC0415 -- as above

        return [*image_outputs(function), manifest_path(function)]
    return [artifact_path(function), manifest_path(function)]


def _inputs(build: Build, tree: SourceTree, *, store: Store) -> Sequence[str]:
    """Everything on disk that the answer stands on."""
    return [
        *(source.path for source in tree.files),
        *(folder for folder, _ in tree.folders),
        str(build.function.root),
        *inputs_of(build.function, store=store),
    ]


def _render(builds: Sequence[Build], output_format: str) -> str:
    if output_format == "text":
        return "\n".join(render_build(build, shown_path=_shown(build)) for build in builds)
    manifests = [manifest_path(build.function).read_text(encoding="utf-8") for build in builds]
    return '{"schema_version":1,"manifests":[' + ",".join(m.rstrip() for m in manifests) + "]}\n"


def _shown(build: Build) -> str:
    path = os.path.relpath(build.artifact.path)
    return build.artifact.path if path.startswith("..") else path


def _refusal(build: Build) -> str:
    """Word a passed limit: which, by how much, who is largest, and what to do."""
    lines = []
    for check in build.measurement.limits:
        if check.passed:
            continue
        excess = -check.headroom_bytes
        hint = (
            'upload through S3: `upload = "s3"` under [tool.lpack], or --upload s3'
            if check.name == "zip_direct_upload"
            else "drop or replace the largest; Lambda layers do not raise this limit"
        )
        error = LpackError(
            f"`{_shown(build)}` passes AWS's limit for {check.title} by {mib(excess)}: "
            f"{check.measured_bytes:,} bytes, it must be below {check.limit_bytes:,}",
            details=[f"largest: {line}" for line in largest(build, check.name)],
            hint=hint,
        )
        lines.append(render_error(error) + "\n")
    return "".join(lines)
