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
import traceback
from collections.abc import Callable, Sequence
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
from slow_index import Downloads, measure_downloads, render_downloads  # noqa: E402 -- likewise
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
    "downloads",
)
PEER_WORKLOADS = ("W5",)
"""Where a whole build of others takes seconds, not minutes."""
GROWTH_ROUNDS = 4


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
    downloads: Downloads = field(default_factory=Downloads)
    failed: list[str] = field(default_factory=list)

    def measure(
        self, fresh: Bench, *, sections: Sequence[str], rounds: int, save: Callable[[], None]
    ) -> None:
        """Build one workload with an empty store, then measure what `sections` name."""
        fresh.set_up()
        cold = fresh.build()
        kept = fresh.copy_to(fresh.folder / "kept")
        works: dict[str, Callable[[], None]] = {
            "speed": lambda: self.speed.append(
                measure_speed(fresh, kept, cold=cold, rounds=rounds)
            ),
            "sizes": lambda: measure_sizes(kept, self.sizes),
            "imports": lambda: measure_imports(kept, self.imports, rounds=min(rounds, 3)),
            "predictions": lambda: measure_predictions(kept, self.predictions),
            "images": lambda: measure_images(kept, self.images, rounds=rounds),
            "peers": lambda: measure_peers(kept, self.peers, rounds=1),
            "forms": lambda: measure_forms(kept, self.forms),
            "shared": lambda: measure_shared(kept, self.shared, rounds=min(rounds, 3)),
            "downloads": lambda: measure_downloads(kept, self.downloads, rounds=min(rounds, 3)),
        }
        if kept.workload not in PEER_WORKLOADS:
            del works["peers"]
        for name, work in works.items():
            if name in sections:
                # Whatever the section before left behind, each starts from a built project.
                kept.set_up()
                kept.build()
                self.try_section(f"{name} of {kept.workload}", work)
                save()

    def try_section(self, name: str, work: Callable[[], None]) -> None:
        """Do `work`; a section that fails is a line on the page, and the others go on."""
        began = time.monotonic()
        try:
            work()
        except Exception as error:  # noqa: BLE001 -- the other sections' results must not be lost
            traceback.print_exc()
            self.failed.append(f"{name}: {type(error).__name__}: {str(error).strip()[-300:]}")
        print(f"  {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

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
        for has_results, section in self._sections():
            if has_results:
                lines += section()
        if self.failed:
            lines += ["## Failed", "", *(f"- {line}" for line in self.failed), ""]
        return "\n".join(lines)

    def _sections(self) -> list[tuple[bool, Callable[[], list[str]]]]:
        """Return for each section whether there is something to show, and what shows it."""

        def known(section: Any) -> bool:  # noqa: ANN401 -- any section's results
            return bool(section.results or section.skipped)

        return [
            (bool(self.speed), lambda: render_speed(self.speed)),
            (bool(self.sizes.results), lambda: render_sizes(self.sizes)),
            (known(self.imports), lambda: render_imports(self.imports)),
            (known(self.predictions), lambda: render_predictions(self.predictions)),
            (bool(self.images.results), lambda: render_images(self.images)),
            (bool(self.peers.rows or self.peers.skipped), lambda: render_peers(self.peers)),
            (bool(self.growth.costs), lambda: render_growth(self.growth)),
            (known(self.forms), lambda: render_forms(self.forms)),
            (known(self.shared), lambda: render_shared(self.shared)),
            (bool(self.downloads.results), lambda: render_downloads(self.downloads)),
        ]

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
            "downloads": [result.to_document() for result in self.downloads.results],
            "predictions": [result.to_document() for result in self.predictions.results],
            "peers": self.peers.to_document(),
            "growth": self.growth.to_document(),
            "skipped": [
                *self.sizes.skipped,
                *self.imports.skipped,
                *self.predictions.skipped,
                *self.forms.skipped,
                *self.shared.skipped,
                *self.peers.skipped,
            ],
            "failed": self.failed,
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
    results, facts = Results(target=options.target), machine_facts()

    def save() -> None:
        """Write what is known so far: a run that is stopped loses only what it had not measured."""
        if options.quick:
            return
        options.output.mkdir(parents=True, exist_ok=True)
        page = results.render(facts, seconds=time.monotonic() - began)
        (options.output / "results.md").write_text(page)
        document = json.dumps(results.to_document(facts), indent=1)
        (options.output / "results.json").write_text(document + "\n")

    try:
        with IndexServer(wheels_for(options.target)) as index:
            for workload in options.workloads if set(options.sections) - {"growth"} else ():
                print(f"{workload} on {options.target} …", file=sys.stderr, flush=True)
                with tempfile.TemporaryDirectory(prefix="lpack-bench-") as folder:
                    bench = Bench(
                        workload=workload,
                        target=options.target,
                        index_url=index.url,
                        folder=Path(folder),
                    )
                    rounds = 1 if options.quick else options.rounds
                    results.measure(bench, sections=options.sections, rounds=rounds, save=save)
    except (ContenderFailedError, MissingWheelsError) as error:
        print(f"benchmark stopped: {error}", file=sys.stderr)
        return 1
    if "growth" in options.sections:
        results.try_section("growth", lambda: _grow(results, quick=options.quick))
        save()
    print(results.render(facts, seconds=time.monotonic() - began))
    return 1 if results.failed else 0


def _grow(results: Results, *, quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="lpack-bench-") as folder:
        if quick:
            measure_growth(Path(folder), results.growth, rounds=1, steps=(1, 3))
        else:
            measure_growth(Path(folder), results.growth, rounds=GROWTH_ROUNDS)


if __name__ == "__main__":
    sys.exit(main())
