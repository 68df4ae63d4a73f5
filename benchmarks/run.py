"""Measures `lpack build` on the five workloads, side by side with what people do without it.

    python benchmarks/run.py [--workloads W1,W2] [--sections speed,images] [--rounds 5]

Writes benchmarks/results.md and benchmarks/results.json. With `--quick` every contender runs
once and nothing is written: it shows that the benchmark works, not how fast lpack is.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from forms import Forms, measure_forms, render_forms  # noqa: E402 -- needs the path above
from growth import Growth, measure_growth, render_growth  # noqa: E402 -- likewise
from images import Images, measure_images, render_images  # noqa: E402 -- likewise
from imports import Imports, measure_imports, render_imports  # noqa: E402 -- likewise
from machine import machine_facts  # noqa: E402 -- likewise
from peers import Peers, measure_peers, render_peers  # noqa: E402 -- likewise
from predictions import (  # noqa: E402 -- likewise
    Predictions,
    measure_predictions,
    render_predictions,
)
from shared import Shared, measure_shared, render_shared  # noqa: E402 -- likewise
from sizes import Sizes, measure_sizes, render_sizes  # noqa: E402 -- likewise
from speed import SpeedResult, measure_speed, render_speed  # noqa: E402 -- likewise
from support.fixture_wheels import (  # noqa: E402 -- likewise
    TARGETS,
    WORKLOADS,
    MissingWheelsError,
    wheels_for,
)
from support.index_server import IndexServer  # noqa: E402 -- likewise
from timing import ContenderFailedError  # noqa: E402 -- likewise
from workload import Bench  # noqa: E402 -- likewise

SECTIONS = (
    "speed",
    "sizes",
    "imports",
    "predictions",
    "images",
    "forms",
    "peers",
    "growth",
    "shared",
)
PEER_WORKLOADS = ("W5",)
"""Where a whole build of others takes seconds, not minutes."""
GROWTH_STEPS = (1, 10, 30, 100)


@dataclass(kw_only=True)
class Results:
    """Everything measured in one run."""

    target: str
    speed: list[SpeedResult] = field(default_factory=list)
    sizes: Sizes = field(default_factory=lambda: Sizes(results=[], skipped=[]))
    imports: Imports = field(default_factory=Imports)
    peers: Peers = field(default_factory=Peers)
    growth: Growth = field(default_factory=Growth)
    predictions: Predictions = field(default_factory=Predictions)
    images: Images = field(default_factory=Images)
    forms: Forms = field(default_factory=Forms)
    shared: Shared = field(default_factory=Shared)

    def measure(self, fresh: Bench, *, sections: Sequence[str], rounds: int) -> None:
        """Build one workload with an empty store, then measure what `sections` name."""
        fresh.set_up()
        cold = fresh.build()
        kept = fresh.copy_to(fresh.folder / "kept")
        kept.build()
        if "speed" in sections:
            self.speed.append(measure_speed(fresh, kept, cold=cold, rounds=rounds))
            kept.set_up()
        if "sizes" in sections:
            measure_sizes(kept, self.sizes)
        if "imports" in sections:
            measure_imports(kept, self.imports, rounds=min(rounds, 3))
        if "predictions" in sections:
            measure_predictions(kept, self.predictions)
        if "images" in sections:
            measure_images(kept, self.images, rounds=rounds)
        if "peers" in sections and kept.workload in PEER_WORKLOADS:
            kept.set_up()
            kept.build()
            measure_peers(kept, self.peers, rounds=1)
        if "forms" in sections:
            measure_forms(kept, self.forms)
        if "shared" in sections:
            measure_shared(kept, self.shared, rounds=min(rounds, 3))

    def render(self, facts: dict[str, str], *, seconds: float) -> str:
        """Write the whole page."""
        lines = [
            "# Benchmarks",
            "",
            "Written by `make bench`; do not edit. README.md tells how to read it. Whole",
            "processes, wall clock, medians; the contenders take turns. Raw figures: results.json.",
            "",
            " · ".join(f"{name} {value}" for name, value in facts.items()),
            "",
            f"Target {self.target}, {seconds:.0f} s in all.",
            "",
        ]
        if self.speed:
            lines += render_speed(self.speed)
        if self.sizes.results:
            lines += render_sizes(self.sizes)
        if self.imports.results or self.imports.skipped:
            lines += render_imports(self.imports)
        if self.predictions.results or self.predictions.skipped:
            lines += render_predictions(self.predictions)
        if self.images.results:
            lines += render_images(self.images)
        if self.peers.rows or self.peers.skipped:
            lines += render_peers(self.peers)
        if self.growth.costs:
            lines += render_growth(self.growth)
        if self.forms.results or self.forms.skipped:
            lines += render_forms(self.forms)
        if self.shared.results or self.shared.skipped:
            lines += render_shared(self.shared)
        return "\n".join(lines)

    def to_document(self, facts: dict[str, str]) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "machine": facts,
            "target": self.target,
            "speed": [result.to_document() for result in self.speed],
            "sizes": [result.to_document() for result in self.sizes.results],
            "imports": [result.to_document() for result in self.imports.results],
            "images": [result.to_document() for result in self.images.results],
            "forms": [result.to_document() for result in self.forms.results],
            "shared": [result.to_document() for result in self.shared.results],
            "predictions": [result.to_document() for result in self.predictions.results],
            "skipped": [
                *self.sizes.skipped,
                *self.imports.skipped,
                *self.predictions.skipped,
                *self.forms.skipped,
                *self.shared.skipped,
            ],
        }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="benchmarks of lpack build")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--sections", default=",".join(SECTIONS))
    parser.add_argument("--target", default="python3.11-x86_64", choices=sorted(TARGETS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of results.md and .json")
    options = parser.parse_args()
    options.workloads = options.workloads.split(",")
    options.sections = options.sections.split(",")
    for given, known in ((options.workloads, WORKLOADS), (options.sections, SECTIONS)):
        if unknown := set(given).difference(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    return options


def main() -> int:
    """Run the command line described at the top."""
    options = _options()
    began = time.monotonic()
    results = Results(target=options.target)
    try:
        with IndexServer(wheels_for(options.target)) as index:
            for workload in options.workloads:
                print(f"{workload} on {options.target} …", file=sys.stderr, flush=True)
                with tempfile.TemporaryDirectory(prefix="lpack-bench-") as folder:
                    bench = Bench(
                        workload=workload,
                        target=options.target,
                        index_url=index.url,
                        folder=Path(folder),
                    )
                    rounds = 1 if options.quick else options.rounds
                    results.measure(bench, sections=options.sections, rounds=rounds)
        if "growth" in options.sections:
            with tempfile.TemporaryDirectory(prefix="lpack-bench-") as folder:
                steps = (1, 10) if options.quick else GROWTH_STEPS
                results.growth = measure_growth(Path(folder), rounds=1, steps=steps)
    except (ContenderFailedError, MissingWheelsError) as error:
        print(f"benchmark stopped: {error}", file=sys.stderr)
        return 1
    facts = machine_facts()
    page = results.render(facts, seconds=time.monotonic() - began)
    print(page)
    if not options.quick:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "results.md").write_text(page)
        document = json.dumps(results.to_document(facts), indent=1)
        (options.output / "results.json").write_text(document + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
