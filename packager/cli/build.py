"""`lpack build`."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from packager.cli import completion
from packager.cli.building import Request, build_all
from packager.cli.console import Console
from packager.cli.options import function_options, overrides_of
from packager.cli.unchanged import now_ns, recall
from packager.cli.unpacked import check_unpacked, write_unpacked
from packager.inputs.configuration import load_project
from packager.pipeline import BuildOptions, default_runtime, runtime_names
from packager.wheels.store import Store


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
    chosen = load_project(
        Path.cwd(),
        overrides_of(values),
        runtimes=runtime_names(),
        default_runtime=default_runtime(),
        names=functions,
    )
    check_unpacked(unpacked, chosen)
    verbosity = -1 if quiet else int(verbose)
    arguments = sys.argv[1:]
    stamp = recall(arguments)
    code = build_all(
        Request(
            functions=chosen,
            options=BuildOptions(**flags),
            output_format=output_format,
            verbosity=verbosity,
            jobs=os.cpu_count() or 1,
            depfile=depfile,
            # make asks only when something changed, and wants a newer artifact then.
            remembered=not (depfile or unpacked),
        ),
        arguments,
        store=Store.default(),
        started_ns=started_ns,
        earlier=stamp["answers"] if stamp is not None else (),
    )
    write_unpacked(unpacked, chosen[0], Console(verbosity))
    return code
