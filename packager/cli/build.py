"""`lpack build`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from packager.cli import completion
from packager.cli.console import Console
from packager.cli.depfiles import write_depfile
from packager.cli.options import function_options, overrides_of
from packager.cli.refusals import render_refusals, shown_path
from packager.cli.unchanged import is_settled, now_ns, remember
from packager.cli.unpacked import check_unpacked, write_unpacked
from packager.inputs.configuration import load_project
from packager.inputs.source_tree import collect_source
from packager.model.build import Build
from packager.model.project import Function, SourceTree
from packager.pipeline import (
    BuildOptions,
    build_function,
    default_runtime,
    inputs_of,
    manifest_path,
    outputs_of,
    runtime_names,
)
from packager.report.text import render_build
from packager.wheels.store import Store

_LIMIT_PASSED = 1


@click.command("build")
@click.argument("functions", nargs=-1, shell_complete=completion.functions)
@function_options
@click.option("--frozen", is_flag=True, help="Resolve nothing anew: a lock or a remembered build.")
@click.option("--offline", is_flag=True, help="Use no network.")
@click.option("--upgrade", is_flag=True, help="Forget the remembered resolution.")
@click.option("--lock", "write_lock", is_flag=True, help="Write pylock.toml next to the project.")
@click.option("--depfile", is_flag=True, help="Write ARTIFACT.d, a rule for make, beside each.")
@click.option(
    "--unpacked",
    type=click.Path(path_type=Path),
    help="Unpack the zip of the one function into this empty folder too.",
)
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
    lpack build api --depfile        for make: writes dist/api.zip.d too
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    started_ns = now_ns()
    flags = {name: values.pop(name) for name in ("frozen", "offline", "upgrade", "write_lock")}
    output_format, quiet, verbose, depfile, unpacked = (
        values.pop(name) for name in ("output_format", "quiet", "verbose", "depfile", "unpacked")
    )
    console = Console(-1 if quiet else int(verbose))
    chosen = load_project(
        Path.cwd(),
        overrides_of(values),
        runtimes=runtime_names(),
        default_runtime=default_runtime(),
        names=functions,
    )
    check_unpacked(unpacked, chosen)
    store = Store.default()
    built = [
        _build(function, store=store, options=BuildOptions(**flags), console=console)
        for function in chosen
    ]
    builds = [build for build, _ in built]
    stdout = _render(builds, output_format)
    click.echo(stdout, nl=False)
    stderr = render_refusals(builds)
    click.echo(stderr, err=True, nl=False, color=True)
    exit_code = _LIMIT_PASSED if stderr else 0
    if depfile:
        for build, tree in built:
            write_depfile(build.artifact.path, _inputs(build, tree, store=store))
    write_unpacked(unpacked, chosen[0], console)
    # make asks only when something changed, and wants a newer artifact then.
    more = depfile or unpacked is not None or flags["write_lock"] or flags["upgrade"]
    if not more and not console.warnings:
        inputs = [path for each in built for path in _inputs(*each, store=store)]
        if is_settled(inputs, started_ns):
            outputs = [str(path) for build in builds for path in _outputs(build)]
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


def _outputs(build: Build) -> list[Path]:
    function = build.function
    if function.package_type == "image":
        from packager.pipeline_image import image_outputs  # noqa: PLC0415 -- as above

        return [*image_outputs(function), manifest_path(function)]
    return outputs_of(function, build.dependencies)


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
        return "\n".join(render_build(build, shown_path=shown_path(build)) for build in builds)
    manifests = [manifest_path(build.function).read_text(encoding="utf-8") for build in builds]
    return '{"schema_version":1,"manifests":[' + ",".join(m.rstrip() for m in manifests) + "]}\n"
