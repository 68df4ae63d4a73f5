"""Measures how much of a first build hides behind its downloads, on links that people have.

*Alone* are the download, which is the bytes that came through the link at its speed, and the work,
which is a first build with all wheels in the store. Whatever overlaps, a build takes at least the
longer of the two, and one that does one after the other takes their sum.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from contenders import WHEELS
from link import Link, Speed
from speed import table
from timing import Contender, run_interleaved
from workload import Bench

WORKLOADS = ("W2", "W3")
SPEEDS = (
    Speed(name="10 MB/s", bytes_per_second=1e7, round_trip_seconds=0.02),
    Speed(name="30 MB/s", bytes_per_second=3e7, round_trip_seconds=0.02),
)
MB = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadsResult:
    """One workload on one link."""

    workload: str
    speed: Speed
    whole: Contender
    work: Contender
    index_bytes: int

    @property
    def download_seconds(self) -> float:
        """What the link alone needs for the bytes."""
        return self.index_bytes / self.speed.bytes_per_second

    @property
    def longer_seconds(self) -> float:
        """No build can take less."""
        return max(self.download_seconds, self.work.median)

    @property
    def sum_seconds(self) -> float:
        """What it takes one after the other."""
        return self.download_seconds + self.work.median

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "workload": self.workload,
            "link": self.speed.name,
            "seconds": {
                each.name: [round(sample.seconds, 4) for sample in each.samples]
                for each in (self.whole, self.work)
            },
            "download_seconds": round(self.download_seconds, 4),
            "peak_bytes": self.whole.peak_bytes,
            "index_bytes": self.index_bytes,
        }


@dataclass(kw_only=True)
class Downloads:
    """All of it."""

    results: list[DownloadsResult] = field(default_factory=list)


def measure_downloads(bench: Bench, found: Downloads, *, rounds: int) -> None:
    """Build with nothing on the machine, and with the wheels, in turn on every link."""
    port = urlsplit(bench.index_url).port
    if bench.workload not in WORKLOADS or port is None:
        return
    for speed in SPEEDS:
        with Link(port, speed) as link:
            url = bench.index_url.replace(str(port), str(link.port))
            found.results.append(_measure(bench, link, url, speed, rounds=rounds))


def _measure(bench: Bench, link: Link, url: str, speed: Speed, *, rounds: int) -> DownloadsResult:
    folder = bench.folder / "downloads"
    empty = replace(bench, index_url=url, folder=folder / "empty")
    filled = replace(bench, index_url=url, folder=folder / "filled")
    passed: list[int] = []

    def forget_all() -> None:
        shutil.rmtree(empty.folder, ignore_errors=True)
        empty.set_up()
        passed.append(link.answered_bytes)

    def forget_work() -> None:
        passed.append(link.answered_bytes)
        filled.forget(keep=WHEELS)

    filled.set_up()
    filled.build()
    whole = _contender(empty, "empty store", forget_all, rounds=rounds)
    work = _contender(filled, "wheels in the store", forget_work, rounds=rounds)
    run_interleaved([whole, work])
    return DownloadsResult(
        workload=bench.workload,
        speed=speed,
        whole=whole,
        work=work,
        index_bytes=passed[1] - passed[0],
    )


def _contender(bench: Bench, name: str, prepare: Callable[[], None], *, rounds: int) -> Contender:
    return replace(bench.lpack(name, rounds=rounds), prepare=prepare, warm_up=False)


def render_downloads(found: Downloads) -> list[str]:
    """Write the section."""
    rows = {
        f"{each.workload}, {each.speed.name}": [
            f"{each.index_bytes / MB:.0f}",
            f"{each.download_seconds:.2f}",
            f"{each.work.median:.2f}",
            f"{each.sum_seconds:.2f}",
            f"{each.whole.median:.2f}",
            f"{each.whole.median / each.longer_seconds:.2f}",
            f"{each.whole.median / each.sum_seconds:.2f}",
            f"{each.whole.peak_bytes / MB:.0f}",
        ]
        for each in found.results
    }
    columns = [
        "MB", "download alone, s", "work alone, s", "sum, s", "first build, s", "÷ the longer",
        "÷ the sum", "peak MB",
    ]  # fmt: skip
    return [
        "## First builds while wheels download",
        "",
        *table("workload, link of the index", columns, rows),
        "",
        "The store is empty; 20 ms for a round trip, and the bandwidth is that of all",
        "connections together. *Download alone*: the bytes that came, at the speed of the link.",
        "*Work alone*: the same build with all wheels in the store.",
        "",
    ]
