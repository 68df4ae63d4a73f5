"""Measures a cold machine with a warm shared store against a cold machine without one.

Cold: no store, no cache of a resolver, nothing in the home. Index and shared store lie behind links
of the same speed. The requirements have hashes, as a lock has, so that both build the same files.
"""

import filecmp
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from link import Link, Speed
from speed import table
from support.nginx_store import NginxStore, nginx_store
from timing import Contender, run_interleaved
from workload import Bench

WORKLOADS = ("W2", "W3", "W5")
GOAL = 5.0
_NEAR = Speed(name="10 Gbit/s, 1 ms", bytes_per_second=1.25e9, round_trip_seconds=0.001)
_OFFICE = Speed(name="1 Gbit/s, 5 ms", bytes_per_second=1.25e8, round_trip_seconds=0.005)
_FAR = Speed(name="200 Mbit/s, 20 ms", bytes_per_second=2.5e7, round_trip_seconds=0.02)
# Of the index and of the store: the same for both, and an index on the internet with a store in
# the runner's own network.
LINKS = ((_NEAR, _NEAR), (_OFFICE, _OFFICE), (_FAR, _FAR), (_FAR, _NEAR))
MB = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedResult:
    """One workload on one link; `equal` tells whether both built the same bytes."""

    workload: str
    speed: str
    store_speed: Speed
    without: Contender
    warm: Contender
    index_bytes: int
    store_bytes: int
    equal: bool

    @property
    def ratio(self) -> float:
        """How many times faster the warm store is."""
        return self.without.median / self.warm.median

    @property
    def highest_ratio(self) -> float:
        """What the ratio would be if the bytes of the store took the link's time and no more."""
        return self.without.median / (self.store_bytes / self.store_speed.bytes_per_second)

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "workload": self.workload,
            "link": self.speed,
            "seconds": {
                each.name: [round(sample.seconds, 4) for sample in each.samples]
                for each in (self.without, self.warm)
            },
            "cpu_seconds": {
                each.name: [round(sample.cpu_seconds, 4) for sample in each.samples]
                for each in (self.without, self.warm)
            },
            "index_bytes": self.index_bytes,
            "store_bytes": self.store_bytes,
            "equal": self.equal,
            "ratio": self.ratio,
            "highest_ratio": self.highest_ratio,
        }


@dataclass(kw_only=True)
class Shared:
    """All of it, and what could not be measured."""

    results: list[SharedResult] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def measure_shared(bench: Bench, found: Shared, *, rounds: int) -> None:
    """Fill a store from one machine, then let cold machines take turns on every link."""
    if bench.workload not in WORKLOADS:
        return
    folder = bench.folder / "shared"
    # pytest's skip is how the support module tells that nginx is not installed.
    with suppress(pytest.skip.Exception), nginx_store(folder / "nginx") as nginx:
        filler = _machine(bench, folder / "filler", bench.index_url)
        _contender(filler, "fill", nginx.url_with_password).run_once(keep=False)
        for links in LINKS:
            found.results.append(_measure(bench, folder, nginx, links, rounds=rounds))
        return
    found.skipped.append(f"shared {bench.workload}: nginx is not installed")


def _measure(
    bench: Bench, folder: Path, nginx: NginxStore, links: tuple[Speed, Speed], *, rounds: int
) -> SharedResult:
    with _linked(bench, nginx, links) as (index, store, index_url, store_url):
        alone = _machine(bench, folder / "alone", index_url)
        reader = _machine(bench, folder / "reader", index_url)
        without = _contender(alone, "without", "")
        warm = _contender(reader, "warm", store_url)
        without.rounds = warm.rounds = rounds
        run_interleaved([without, warm])
        runs = rounds + (1 if rounds > 1 else 0)
        return SharedResult(
            workload=bench.workload,
            speed=" / ".join(dict.fromkeys(each.name for each in links)),
            store_speed=links[1],
            without=without,
            warm=warm,
            index_bytes=index.answered_bytes // runs,
            store_bytes=store.answered_bytes // runs,
            equal=filecmp.cmp(alone.artifact, reader.artifact, shallow=False),
        )


@contextmanager
def _linked(
    bench: Bench, nginx: NginxStore, links: tuple[Speed, Speed]
) -> Iterator[tuple[Link, Link, str, str]]:
    port = urlsplit(bench.index_url).port
    assert port is not None
    with Link(port, links[0]) as index, Link(nginx.port, links[1]) as store:
        index_url = bench.index_url.replace(str(port), str(index.port))
        yield index, store, index_url, nginx.url.replace(str(nginx.port), str(store.port))


def _machine(bench: Bench, folder: Path, index_url: str) -> Bench:
    machine = Bench(
        workload=bench.workload, target=bench.target, index_url=index_url, folder=folder
    )
    machine.set_up()
    return machine


def _contender(machine: Bench, name: str, store_url: str) -> Contender:
    def make_cold() -> None:
        shutil.rmtree(machine.runner.home, ignore_errors=True)
        shutil.rmtree(machine.project / "dist", ignore_errors=True)
        machine.runner.home.mkdir(parents=True)

    environment = machine.runner.environment({"LPACK_SHARED_STORE": store_url})
    return Contender(
        name=name,
        commands=[machine.command("build")],
        cwd=machine.project,
        env=environment,
        prepare=make_cold,
        exit_codes=(0, 1),
    )


def render_shared(found: Shared) -> list[str]:
    """Write the section."""
    rows = {
        f"{each.workload}, {each.speed}": [
            f"{each.without.median:.2f}",
            f"{each.warm.median:.2f}",
            f"{each.ratio:.1f}{'' if each.ratio >= GOAL else ' **missed**'}",
            f"{each.highest_ratio:.1f}",
            f"{each.index_bytes / MB:.1f}",
            f"{each.store_bytes / MB:.1f}",
            "yes" if each.equal else "**no**",
        ]
        for each in found.results
    }
    columns = [
        "without, s", "warm store, s", f"ratio (≥ {GOAL:g})", "at most",
        "MB from the index", "MB from the store", "equal bytes",
    ]  # fmt: skip
    return [
        "## A cold machine with a warm shared store",
        "",
        *table("workload, link of index and store", columns, rows),
        "",
        "Nothing on the machine but lpack; requirements with hashes; nginx is the store. One link",
        "is that of both, of two the first is the index's: of so much bandwidth in all, and every",
        "connection and every request waits for the round trip (no TLS). Behind the same slow link",
        "both wait for about the same bytes: *at most* is the ratio if the store's bytes took the",
        "time of their link and nothing else took any.",
        "",
        *(f"Not measured: {each}." for each in found.skipped),
    ]
