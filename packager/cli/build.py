"""`lpack build`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from packager.cli import completion
from packager.cli.building import Request, build_all
from packager.cli.console import Console, say, styled
from packager.cli.options import function_options, overrides_of
from packager.cli.unchanged import now_ns, recall
from packager.cli.unpacked import check_unpacked, write_unpacked
from packager.errors import UsageError
from packager.inputs.configuration import load_project
from packager.inputs.settings import Overrides
from packager.model.project import Function
from packager.pipeline.build import BuildOptions, default_runtime, runtime_names
from packager.wheels.store import Store

_FLAGS = ("frozen", "offline", "upgrade", "write_lock")
_HOW = (
    "every", "changed_since", "shard", "jobs", "depfile", "unpacked", "check", "output_format",
    "quiet", "verbose",
)  # fmt: skip


@click.command("build")
@click.argument("functions", nargs=-1, shell_complete=completion.functions)
@function_options
@click.option("--frozen", is_flag=True, help="Resolve nothing anew: a lock or a remembered build.")
@click.option("--offline", is_flag=True, help="Use no network.")
@click.option("--upgrade", is_flag=True, help="Forget the remembered resolution.")
@click.option("--lock", "write_lock", is_flag=True, help="Write pylock.toml next to the project.")
@click.option("--all", "every", is_flag=True, help="All functions, as without any name.")
@click.option("--changed-since", metavar="REF", help="Only what changed since this git commit.")
@click.option("--shard", metavar="I/N", help="Only this share, for jobs of a CI matrix.")
@click.option("--jobs", type=click.IntRange(1), help="Functions at once; one per processor.")
@click.option("--depfile", is_flag=True, help="Write ARTIFACT.d, a rule for make, beside each.")
@click.option(
    "--unpacked",
    type=click.Path(path_type=Path),
    help="Unpack the zip of the one function into this empty folder too.",
)
@click.option("--check", is_flag=True, help="Make it once more by a slow way, and compare.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What to print on stdout; the manifest is always written.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option("-v", "--verbose", is_flag=True, help="Tell more of what is done.")
def command(**values: Any) -> int:  # noqa: ANN401 -- click's values
    """Build the zips of this project's functions, all of them unless some are named.

    \b
    lpack build
    lpack build api worker
    lpack build --handler src/main.py:handler --runtime python3.13 --arch arm64
    lpack build --requirements requirements.txt --upload s3
    lpack build --changed-since origin/main --shard 3/10
    lpack build api --depfile        for make: writes dist/api.zip.d too
    lpack build --check              is what lies in dist what the wheels and your files make?
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    started_ns = now_ns()
    functions, flags, how = values.pop("functions"), _taken(values, _FLAGS), _taken(values, _HOW)
    if how["every"] and functions:
        raise UsageError("`--all` and names of functions contradict each other")
    store, overrides = Store.default(), overrides_of(values)
    known = _load(overrides, functions)
    chosen = _selected(known, how["changed_since"], how["shard"], store=store)
    unpacked = how["unpacked"] if chosen else None
    check_unpacked(unpacked, chosen)
    verbosity = -1 if how["quiet"] else int(how["verbose"])
    request = Request(
        functions=chosen,
        options=BuildOptions(**flags),
        output_format=how["output_format"],
        verbosity=verbosity,
        jobs=how["jobs"] or os.cpu_count() or 1,
        # What git says is no file that could be looked at.
        replayable=not how["changed_since"],
        # make asks only when something changed, and wants a newer artifact then. A statement of
        # provenance names the commit, which changes when no file does.
        remembered=not (how["depfile"] or unpacked or any(each.provenance for each in chosen)),
        depfile=how["depfile"],
        everyone=_everyone(known, overrides, named=functions),
    )
    code = _build(request, store=store, started_ns=started_ns, check=how["check"])
    if unpacked:
        write_unpacked(unpacked, chosen[0], Console(verbosity))
    return code


def _build(request: Request, *, store: Store, started_ns: int, check: bool) -> int:
    arguments = [each for each in sys.argv[1:] if not (check and each == "--check")]
    stamp = recall(arguments)
    earlier = stamp["answers"] if stamp is not None else ()
    if check:
        # Loaded here because hardly any build asks for it.
        from packager.cli.checking import build_and_check  # noqa: PLC0415

        return build_and_check(
            request, arguments, store=store, started_ns=started_ns, earlier=earlier
        )
    return build_all(request, arguments, store=store, started_ns=started_ns, earlier=earlier)


def _taken(values: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Take what is no setting of a function out of `values`."""
    return {name: values.pop(name) for name in names}


def _selected(
    chosen: tuple[Function, ...], reference: str | None, shard: str | None, *, store: Store
) -> tuple[Function, ...]:
    known = len(chosen)
    if shard is None and reference is None:
        return chosen
    # Loaded here because only repositories of many functions ask for it.
    from packager.cli.selection import changed_since, shard_of  # noqa: PLC0415

    if shard:
        chosen = shard_of(chosen, shard)
    if reference:
        chosen = changed_since(chosen, reference, Path.cwd(), store=store)
    say(styled(f"{len(chosen)} of {known} functions", dim=True))
    return chosen


def _load(overrides: Overrides, names: tuple[str, ...]) -> tuple[Function, ...]:
    return load_project(
        Path.cwd(),
        overrides,
        runtimes=runtime_names(),
        default_runtime=default_runtime(),
        names=names,
    )


def _everyone(
    chosen: tuple[Function, ...], overrides: Overrides, *, named: tuple[str, ...]
) -> tuple[Function, ...]:
    """Return all functions where layers make the chosen ones depend on the others."""
    if not named or not any(each.layers for each in chosen):
        return chosen
    return _load(overrides._replace(handler=None), ())
