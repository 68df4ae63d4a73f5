"""Building the best plans for real, beside what was predicted of them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packager.cli.console import Console
from packager.cli.plan_settings import configuration_place, configuration_text, edited_text
from packager.errors import LpackError, UsageError
from packager.inputs.configuration import load_project
from packager.inputs.settings import Overrides
from packager.inputs.source_tree import collect_source
from packager.model.build import BuildOptions
from packager.model.plan import Plan
from packager.pipeline.build import build_function, default_runtime, manifest_path, runtime_names
from packager.pipeline.plan import Planned, init_ms
from packager.pipeline.runtime import SandboxOptions
from packager.wheels.store import Store

_PREDICTED_AT = -1
"""The memory size whose start is held against this machine: the largest, a whole processor."""


def try_plans(
    planned: Planned, count: int, *, store: Store, options: SandboxOptions, console: Console
) -> list[dict[str, Any]]:
    """Build the best `count` plans of the project in this folder, each in a folder of its own.

    Returns a row for each with bytes and seconds, predicted and measured, or why it was not
    built. The project's own files and its dist folder stay as they are.
    """
    rows = []
    for number, plan in enumerate(planned.plans[:count], 1):
        row: dict[str, Any] = {"number": number, **_predicted(planned, plan)}
        try:
            row |= _measured(planned, plan, store=store, options=options, console=console)
        except LpackError as error:
            row["why_not"] = error.message
        rows.append(row)
    return rows


def _predicted(planned: Planned, plan: Plan) -> dict[str, Any]:
    start = plan.starts[_PREDICTED_AT].seconds - planned.rates["sandbox_seconds"]
    return {
        "predicted_uncompressed_bytes": plan.uncompressed_bytes,
        "predicted_compressed_bytes": plan.compressed_bytes,
        "predicted_init_seconds": start,
    }


def _measured(
    planned: Planned, plan: Plan, *, store: Store, options: SandboxOptions, console: Console
) -> dict[str, Any]:
    if not plan.possible:
        raise UsageError("it is not possible")
    asked = [trim.requirement for trim in plan.trims if trim.requirement is not None]
    if asked:
        raise UsageError(f"it takes another requirement: {', '.join(asked)}")
    name = planned.situation.function
    with _configured(plan, name) as config, TemporaryDirectory(prefix="lpack-try-") as folder:
        (function,) = load_project(
            Path.cwd(),
            Overrides(
                config=config,
                target_dir=folder,
                index_url=options.requested.index_url,
                extra_index_urls=options.requested.extra_index_urls or None,
            ),
            runtimes=runtime_names(),
            default_runtime=default_runtime(),
            names=(name,),
        )
        build_function(
            function,
            collect_source(function),
            store=store,
            options=BuildOptions(),
            reporter=console,
        )
        written = manifest_path(function)
        manifest = json.loads(written.read_text(encoding="utf-8"))
        artifact = written.with_name(manifest["artifact"]["path"])
        unzipped = [each for each in manifest["limits"] if each["name"] in ("unzipped", "image")]
        return {
            "uncompressed_bytes": unzipped[-1]["measured_bytes"],
            "compressed_bytes": manifest["artifact"]["compressed_bytes"],
            "init_seconds": _init_seconds(artifact, manifest, store, options, console),
        }


def _init_seconds(
    artifact: Path,
    manifest: dict[str, Any],
    store: Store,
    options: SandboxOptions,
    console: Console,
) -> float | None:
    """Return how long init takes here, or None where the artifact cannot run."""
    try:
        found = init_ms(artifact, manifest, store=store, options=options, reporter=console)
    except LpackError as error:
        console.warn(error.message)
        return None
    return found / 1000


@contextmanager
def _configured(plan: Plan, name: str) -> Iterator[Path]:
    """Yield a configuration with the plan's settings, beside the project's own for a moment.

    Relative paths belong to the folder of the configuration, so that it cannot lie elsewhere.
    """
    place = configuration_place(Path.cwd(), name)
    temporary = place.path.with_name(f".lpack-try-{os.getpid()}.toml")
    try:
        text = edited_text(plan, place, text=configuration_text(place))
        temporary.write_text(text, encoding="utf-8")
        yield Path(temporary.name)
    finally:
        temporary.unlink(missing_ok=True)
