"""Holds `lpack plan` against what is built: bytes, and the start of init, for each workload.

The plain zip is calibrated on; then its largest distribution is offloaded into a nested archive,
built and started for real. Prediction and measurement share a machine and a minute.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from timing import ContenderFailedError
from workload import Bench

from packager.errors import LpackError
from packager.model.plan import Circumstances, Plan
from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.pipeline.plan import calibrate, init_ms, plan_artifact
from packager.pipeline.sandbox import SandboxOptions
from packager.place.offloading import Offload
from packager.place.pricing import Move, Problem, price
from packager.place.start_up import unpacking
from packager.wheels.store import Store

GOAL = 0.25
_CODECS = ("deflate", "xz")
_MB = 1_000_000


@dataclass(kw_only=True)
class Prediction:
    """One form of one workload: bytes and seconds of init, predicted and measured."""

    workload: str
    form: str
    predicted_seconds: float
    measured_seconds: float
    predicted_uncompressed_bytes: int
    measured_uncompressed_bytes: int

    @property
    def error(self) -> float:
        """How far off the start is, as a share of what was measured."""
        return self.predicted_seconds / self.measured_seconds - 1

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return dict(vars(self))


@dataclass(kw_only=True)
class Predictions:
    """All results of a run, and a line for each that could not be had."""

    results: list[Prediction] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def measure_predictions(bench: Bench, predictions: Predictions) -> None:
    """Predict and measure the plain zip and the nested forms of one workload."""
    wanted = bench.target.partition("-")[0].removeprefix("python")
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if wanted != running:
        line = f"predictions: they need Python {wanted}, and this is {running}"
        if line not in predictions.skipped:
            predictions.skipped.append(line)
        return
    try:
        predictions.results += _predict(bench)
    except (ContenderFailedError, LpackError) as error:
        predictions.skipped.append(f"{bench.workload}: {str(error).splitlines()[0]}")


def _predict(bench: Bench) -> list[Prediction]:
    bench.build()
    store = Store(bench.store)
    options = SandboxOptions(requested=IndexSettings(index_url=bench.index_url))
    manifest = bench.manifest()
    calibrate(manifest, bench.artifact, store=store, options=options, reporter=NullReporter())
    circumstances = Circumstances(runtime=manifest["target"]["runtime"], upload="s3")
    planned = plan_artifact(manifest, bench.artifact, store=store, circumstances=circumstances)
    problem = Problem(planned.situation, (), planned.rates)

    def started(folder: str) -> float:
        built = bench.project / folder / f"{bench.workload}.zip"
        known = bench.manifest(folder)
        found = init_ms(built, known, store=store, options=options, reporter=NullReporter())
        return found / 1000

    plain = price(problem, Move("trim", "plain"))
    results = [_result(bench, problem, "plain", plain, manifest, started("dist"))]
    largest = max(planned.situation.items, key=lambda item: item.uncompressed_bytes)
    for codec in _CODECS:
        unpackings = (unpacking(largest, codec, planned.rates, fetched=False),)
        offload = Offload((largest,), codec, unpackings, 0, proved=True)
        plan = price(problem, Move("nested", codec, moved=(largest.name,), offload=offload))
        folder = f"nested-{codec}"
        text = f'offload = ["{largest.name}"]\noffload-codec = "{codec}"\n'
        config = bench.write_configuration(f"{folder}.toml", text)
        bench.build("--config", Path(config).name, "--target-dir", folder)
        known = bench.manifest(folder)
        form = f"{largest.name} nested, {codec}"
        results.append(_result(bench, problem, form, plan, known, started(folder)))
    return results


def _result(
    bench: Bench,
    problem: Problem,
    form: str,
    plan: Plan,
    manifest: dict[str, Any],
    seconds: float,
) -> Prediction:
    measured = next(each for each in manifest["limits"] if each["name"] == "unzipped")
    return Prediction(
        workload=bench.workload,
        form=form,
        predicted_seconds=plan.starts[-1].seconds - problem.rates["sandbox_seconds"],
        measured_seconds=seconds,
        predicted_uncompressed_bytes=plan.uncompressed_bytes,
        measured_uncompressed_bytes=measured["measured_bytes"],
    )


def render_predictions(predictions: Predictions) -> list[str]:
    """Write the section about predictions."""
    lines = [
        f"## What `lpack plan` predicts (start within ± {GOAL:.0%}, after `--calibrate`)",
        "",
        "| workload | form | init predicted s | measured s | off | unzipped MB predicted | built |",
        "|---|---|--:|--:|--:|--:|--:|",
        *map(_row, predictions.results),
        "",
        *(f"- Not measured: {line}" for line in predictions.skipped),
    ]
    if predictions.skipped:
        lines.append("")
    return [
        *lines,
        "Init of AWS's own client from the start of the process to its first request for work, the",
        "best of three. Lambda's own share of a cold start is not in it.",
        "",
    ]


def _row(each: Prediction) -> str:
    off = f"{each.error:+.0%}{'' if abs(each.error) <= GOAL else ' **missed**'}"
    predicted = each.predicted_uncompressed_bytes / _MB
    return (
        f"| {each.workload} | {each.form} | {each.predicted_seconds:.2f} | "
        f"{each.measured_seconds:.2f} | {off} | {predicted:.2f} | "
        f"{each.measured_uncompressed_bytes / _MB:.2f} |"
    )
