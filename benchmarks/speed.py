"""Measures how long builds take and how much memory they need, and shows it against the goals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import contenders as names
from timing import Contender, Sample, run_interleaved
from workload import Bench

MB = 1_000_000
_REFERENCE_ROUNDS = 2
_LARGE = ("W2", "W3")
# zip -9 takes up to three quarters of a minute on these.
_REFERENCE_ONCE = (*_LARGE, "W4")


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A ratio with its bound; `workloads` are those the bound holds for."""

    title: str
    at_least: float = 0
    at_most: float = 0
    workloads: Sequence[str] = ("W1", "W2", "W3", "W4", "W5")
    digits: int = 1


GOALS = {
    "reference / slimmed anew": Goal(title="uv + zip ÷ slimmed anew", at_least=4, workloads=_LARGE),
    "reference / slimmed before": Goal(
        title="uv + zip ÷ slimmed before", at_least=20, workloads=_LARGE
    ),
    "reference / spliced": Goal(title="uv + zip ÷ spliced", at_least=10, workloads=_LARGE),
    "changed / floor": Goal(title="changed ÷ floor", at_most=1.3, digits=2),
    "unchanged / start": Goal(title="unchanged ÷ start", at_most=1.2, digits=2),
    "peak MB": Goal(title="peak MB", at_most=100, digits=0),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedResult:
    """Everything timed on one workload."""

    workload: str
    contenders: Mapping[str, Contender]
    cold: Sample
    zip_bytes: int
    reference_bytes: int

    def median(self, name: str) -> float:
        """The median wall clock of the contender `name`."""
        return self.contenders[name].median

    @property
    def floor(self) -> float:
        """Start of Python with click, copying the zip, its digest."""
        return sum(self.median(name) for name in (names.START, names.COPY, names.DIGEST))

    def ratios(self) -> dict[str, float]:
        """The figures that the goals are about."""
        reference = self.median(names.REFERENCE)
        peaks = [self.contenders[name].peak_bytes for name in names.LPACK]
        return {
            "reference / slimmed anew": reference / self.median(names.SLIMMED),
            "reference / slimmed before": reference / self.median(names.CACHED),
            "reference / spliced": reference / self.median(names.SPLICED),
            "changed / floor": self.median(names.CHANGED) / self.floor,
            "unchanged / start": self.median(names.UNCHANGED) / self.median(names.START),
            "peak MB": max(self.cold.peak_bytes, *peaks) / MB,
        }

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "workload": self.workload,
            "seconds": {
                name: [round(sample.seconds, 5) for sample in contender.samples]
                for name, contender in self.contenders.items()
            },
            "cpu_seconds": {
                name: [round(sample.cpu_seconds, 5) for sample in contender.samples]
                for name, contender in self.contenders.items()
            },
            "peak_bytes": {
                name: contender.peak_bytes for name, contender in self.contenders.items()
            },
            "empty_store": {"seconds": self.cold.seconds, "peak_bytes": self.cold.peak_bytes},
            "zip_bytes": self.zip_bytes,
            "reference_zip_bytes": self.reference_bytes,
            "floor_seconds": self.floor,
            "ratios": self.ratios(),
        }


def measure_speed(fresh: Bench, kept: Bench, *, cold: Sample, rounds: int) -> SpeedResult:
    """Let all contenders take turns. Both benches were built before; `cold` is the first build."""
    few = 1 if fresh.workload in _REFERENCE_ONCE else min(rounds, _REFERENCE_ROUNDS)
    entrants = [
        *names.floor(kept, rounds=rounds),
        *names.lpack_contenders(fresh, kept, rounds=rounds),
        names.reference(fresh, rounds=few),
    ]
    run_interleaved(entrants)
    return SpeedResult(
        workload=fresh.workload,
        contenders={contender.name: contender for contender in entrants},
        cold=cold,
        zip_bytes=kept.artifact.stat().st_size,
        reference_bytes=names.reference_zip(fresh).stat().st_size,
    )


def render_speed(results: Sequence[SpeedResult]) -> list[str]:
    """Write the sections about time and memory."""
    lines = [
        "## Speed against the goals",
        "",
        "| workload | " + " | ".join(map(_head, GOALS.values())) + " |",
        "|---|" + "--:|" * len(GOALS),
    ]
    for result in results:
        ratios = result.ratios()
        cells = [mark(ratios[key], goal, result.workload) for key, goal in GOALS.items()]
        lines.append(f"| {result.workload} | {' | '.join(cells)} |")
    return [
        *lines,
        "",
        "## Seconds: median (min-max, runs)",
        "",
        *_seconds(results),
        "",
        "## Peak memory and zips, MB",
        "",
        *_sizes(results),
        "",
        "*Floor*: start of Python importing click and `cp` of the zip, a process each, and",
        "`hashlib.sha256` of the zip, a call in the running harness. *Start*: the first of these.",
        "All first builds have verified wheels in the store; *slimmed anew* and *--slim off",
        "--no-strip* (nothing but splicing) have nothing else there, so that resolving, admitting",
        "and writing payloads count; *slimmed wheels in the store* has the payloads, and has never",
        "seen the project. *Peak*: the largest single process of a run, uv or pip included.",
        "",
    ]


def mark(value: float, goal: Goal, workload: str) -> str:
    """A figure, and whether it misses its goal where it has one."""
    missed = (goal.at_least and value < goal.at_least) or (goal.at_most and value > goal.at_most)
    return (
        f"{value:.{goal.digits}f}{' **missed**' if missed and workload in goal.workloads else ''}"
    )


def _head(goal: Goal) -> str:
    bound = f"≥ {goal.at_least:g}" if goal.at_least else f"≤ {goal.at_most:g}"
    where = f" on {', '.join(goal.workloads)}" if goal.workloads == _LARGE else ""
    return f"{goal.title} ({bound}{where})"


def _seconds(results: Sequence[SpeedResult]) -> list[str]:
    """The table of all contenders."""
    rows = {
        name: [_spread(result.contenders[name]) for result in results]
        for name in results[0].contenders
    }
    rows["*floor*"] = [f"{result.floor:.3f}" for result in results]
    rows["*empty store, once*"] = [f"{result.cold.seconds:.3f}" for result in results]
    return table("contender", [result.workload for result in results], rows)


def _spread(contender: Contender) -> str:
    times = [sample.seconds for sample in contender.samples]
    return f"{contender.median:.3f} ({min(times):.3f}-{max(times):.3f}, {len(times)})"


def _sizes(results: Sequence[SpeedResult]) -> list[str]:
    """The table of bytes."""
    figures = {
        f"peak, {name}": [result.contenders[name].peak_bytes for result in results]
        for name in (*names.LPACK, names.REFERENCE)
    }
    figures["peak, empty store"] = [result.cold.peak_bytes for result in results]
    figures["lpack's zip"] = [result.zip_bytes for result in results]
    figures["uv + zip -9"] = [result.reference_bytes for result in results]
    rows = {name: [f"{figure / MB:.1f}" for figure in row] for name, row in figures.items()}
    return table("", [result.workload for result in results], rows)


def table(corner: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> list[str]:
    """Lines of a table with figures to the right."""
    return [
        f"| {corner} | {' | '.join(columns)} |",
        "|---|" + "--:|" * len(columns),
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()),
    ]
