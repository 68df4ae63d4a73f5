"""Turns measurements into benchmarks/results.md."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from timing import Contender
from workload import CHANGED, COPY, DIGEST, FIRST, REFERENCE, RESOLVED, START, UNCHANGED

MB = 1_000_000
_GOALS = (
    "| workload | target | reference ÷ first build (≥ 10 on W2, W3) | changed ÷ floor (≤ 2) "
    "| unchanged ÷ start (≤ 1.3) | peak MB (≤ 150) |"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkloadResult:
    """Everything measured on one workload."""

    workload: str
    target: str
    contenders: Mapping[str, Contender]
    cold_seconds: float
    cold_peak_bytes: int
    zip_bytes: int
    reference_bytes: int

    def median(self, name: str) -> float:
        """The median wall clock of the contender `name`."""
        return self.contenders[name].median

    @property
    def floor(self) -> float:
        """Start of Python with click, copying the zip, its digest."""
        return sum(self.median(name) for name in (START, COPY, DIGEST))

    @property
    def peak_bytes(self) -> int:
        """The highest peak of any lpack run, the very first included."""
        runs = [self.contenders[name].peak_bytes for name in (FIRST, RESOLVED, CHANGED, UNCHANGED)]
        return max(self.cold_peak_bytes, *runs)

    def ratios(self) -> dict[str, float]:
        """The figures that the goals are about."""
        return {
            "reference / first build": self.median(REFERENCE) / self.median(FIRST),
            "changed / floor": self.median(CHANGED) / self.floor,
            "unchanged / start": self.median(UNCHANGED) / self.median(START),
            "peak MB": self.peak_bytes / MB,
        }

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "workload": self.workload,
            "target": self.target,
            "seconds": {
                name: [round(sample.seconds, 5) for sample in contender.samples]
                for name, contender in self.contenders.items()
            },
            "peak_bytes": {
                name: contender.peak_bytes for name, contender in self.contenders.items()
            },
            "empty_store": {"seconds": self.cold_seconds, "peak_bytes": self.cold_peak_bytes},
            "zip_bytes": self.zip_bytes,
            "reference_zip_bytes": self.reference_bytes,
            "floor_seconds": self.floor,
            "ratios": self.ratios(),
        }


def machine_facts() -> dict[str, str]:
    """What the figures depend on; nothing that tells whose machine it is."""
    facts = {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
    for name in ("click", "deflate", "packaging", "pip", "uv"):
        facts[name] = importlib.metadata.version(name)
    if shutil.which("zip"):
        text = subprocess.run(["zip", "-v"], capture_output=True, text=True, check=False).stdout
        facts["zip"] = next((w for w in text.split() if w[0].isdigit() and "." in w), "?")
    return facts


def _processor() -> str:
    """The processor's model as Linux tells it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def render(results: Sequence[WorkloadResult], facts: Mapping[str, str]) -> str:
    """Write the whole page."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench` (`benchmarks/run.py`); do not edit. Whole processes, wall clock,",
        "medians; the contenders take turns (A B C A B C) after a run that does not count. The",
        "wheels come from an index on 127.0.0.1. Raw figures: `results.json`.",
        "",
        " · ".join(f"{name} {value}" for name, value in facts.items()),
        "",
        "## Against the goals",
        "",
        _GOALS,
        "|---|---|--:|--:|--:|--:|",
    ]
    for result in results:
        ratios = result.ratios()
        goal = 10 if result.workload in {"W2", "W3"} else 0
        cells = (
            _mark(ratios["reference / first build"], at_least=goal),
            _mark(ratios["changed / floor"], at_most=2),
            _mark(ratios["unchanged / start"], at_most=1.3),
            _mark(ratios["peak MB"], at_most=150, digits=0),
        )
        lines.append(f"| {result.workload} | {result.target} | {' | '.join(cells)} |")
    lines += ["", "## Seconds: median (min-max, runs)", ""]
    lines += _seconds(results)
    lines += ["", "## Sizes and memory", ""]
    lines += _sizes(results)
    lines += [
        "",
        "*Floor*: start of Python importing click + `cp` of the zip + `hashlib.sha256` of it, each",
        "measured alone. *Start*: the first of these. *Peak*: the largest single process of any",
        "lpack run, the first one with an empty store included (uv or pip run as its children).",
        "",
    ]
    return "\n".join(lines)


def _mark(value: float, *, at_least: float = 0, at_most: float = 0, digits: int = 2) -> str:
    """A figure, and whether it meets its goal."""
    missed = (at_least and value < at_least) or (at_most and value > at_most)
    return f"{value:.{digits}f}{' **missed**' if missed else ''}"


def _seconds(results: Sequence[WorkloadResult]) -> list[str]:
    """The table of all contenders."""
    lines = ["| contender | " + " | ".join(result.workload for result in results) + " |"]
    lines.append("|---|" + "--:|" * len(results))
    for name in results[0].contenders:
        cells = []
        for result in results:
            contender = result.contenders[name]
            times = [sample.seconds for sample in contender.samples]
            cells.append(
                f"{contender.median:.3f} ({min(times):.3f}-{max(times):.3f}, {len(times)})"
            )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append("| *floor* | " + " | ".join(f"{result.floor:.3f}" for result in results) + " |")
    cold = " | ".join(f"{result.cold_seconds:.3f}" for result in results)
    lines.append(f"| *empty store, once* | {cold} |")
    return lines


def _sizes(results: Sequence[WorkloadResult]) -> list[str]:
    """The table of bytes."""
    rows = {
        "lpack's zip, MB": [result.zip_bytes for result in results],
        "uv + zip -9, MB": [result.reference_bytes for result in results],
        "peak, empty store, MB": [result.cold_peak_bytes for result in results],
        **{
            f"peak, {name}, MB": [result.contenders[name].peak_bytes for result in results]
            for name in (FIRST, RESOLVED, CHANGED, UNCHANGED, REFERENCE)
        },
    }
    lines = ["| | " + " | ".join(result.workload for result in results) + " |"]
    lines.append("|---|" + "--:|" * len(results))
    for name, figures in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{figure / MB:.1f}" for figure in figures) + " |")
    return lines
