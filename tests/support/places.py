"""Where a build may run: clocks, zones, masks, users, interpreters; and small sets of such places.

A place is one level for each factor. Everything is done to a real process from outside: by its
environment, by a program that starts it (taskset), by a `sitecustomize` that moves its clock.
"""

import datetime as dt
import functools
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from support.fixture_wheels import CHECKOUT

NOBODY = 65534

FACTORS: dict[str, tuple[str, ...]] = {
    "python": ("own", "3.11", "3.12", "3.13"),
    "clock": ("real", "1970-01-02", "1979-12-31", "2038-01-20", "2107-12-30", "2108-02-01"),
    "zone": ("UTC", "<+14>-14", "<-14>+14", "America/Caracas"),
    "umask": ("022", "000", "027", "077"),
    "user": ("own", "nobody"),
    "locale": ("C.UTF-8", "C", "POSIX"),
    "seed": ("random", "0", "4294967295"),
    "cpus": ("all", "one"),
    "folder": ("p", "ein anderer Ordner ü", "deep/" * 20 + "p"),
    "optimised": ("", "2"),
    "epoch": ("unset", "empty"),
    "dates": ("now", "1970", "2107"),
}
"""Factors and their levels; the first level of each is what every machine has."""

Place = Mapping[str, str]

_CLOCK = Path(__file__).with_name("clock")
_CLOCK_OF_A_DATE = {"1970": 1.0, "2107": 4_330_000_000.0}


class Started(NamedTuple):
    """How to start a process in a place."""

    prefix: tuple[str, ...]
    python: str
    environment: Mapping[str, str]
    umask: int
    user: int | None


def pairwise(factors: Mapping[str, Sequence[str]], *, seed: int = 1) -> list[dict[str, str]]:
    """Choose places so that any two levels of two factors meet in one of them; greedy."""
    names = list(factors)
    missing = {
        (one, a, two, b)
        for one, two in itertools.combinations(names, 2)
        for a in factors[one]
        for b in factors[two]
    }
    chance = random.Random(seed)  # noqa: S311 -- a choice of tests
    places = []
    while missing:
        candidates = [_candidate(factors, sorted(missing), chance) for _ in range(30)]
        best = max(candidates, key=lambda place: len(missing & _pairs(place, names)))
        places.append(best)
        missing -= _pairs(best, names)
    return places


def _candidate(
    factors: Mapping[str, Sequence[str]], missing: Sequence[tuple[str, str, str, str]],
    chance: random.Random,
) -> dict[str, str]:  # fmt: skip
    one, a, two, b = chance.choice(missing)
    place = {name: chance.choice(list(levels)) for name, levels in factors.items()}
    return place | {one: a, two: b}


def _pairs(place: Place, names: Sequence[str]) -> set[tuple[str, str, str, str]]:
    return {(one, place[one], two, place[two]) for one, two in itertools.combinations(names, 2)}


def random_places(count: int, *, seed: int) -> Iterator[dict[str, str]]:
    """Yield places from the whole product."""
    chance = random.Random(seed)  # noqa: S311 -- a choice of tests
    for _ in range(count):
        yield {name: chance.choice(levels) for name, levels in possible().items()}


@functools.cache
def possible() -> dict[str, tuple[str, ...]]:
    """The levels that this machine has."""
    return {
        name: tuple(level for level in levels if why_impossible(name, level) is None)
        for name, levels in FACTORS.items()
    }


def why_impossible(factor: str, level: str) -> str | None:
    """Say why a level cannot be had here, None when it can."""
    if factor == "python" and level != "own" and python_of(level) is None:
        return f"no Python {level} has lpack installed ({_pythons()}/{level}: `make pythons`)"
    if factor == "cpus" and level == "one" and shutil.which("taskset") is None:
        return "`taskset` is not installed"
    if factor == "user" and level == "nobody":
        return _why_not_nobody()
    return None


def python_of(version: str) -> str | None:
    """The interpreter of this minor version that lpack is installed for."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    path = _pythons() / version / "bin" / "python"
    return str(path) if path.exists() else None


def _pythons() -> Path:
    return Path(os.environ.get("LPACK_TEST_PYTHONS", CHECKOUT / ".cache" / "pythons"))


@functools.cache
def _why_not_nobody() -> str | None:
    if os.name != "posix" or os.geteuid() != 0:
        return "only root can become nobody"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        try:
            subprocess.run(
                [sys.executable, "-c", "import packager.cli.main"],
                cwd=folder,
                capture_output=True,
                check=True,
                user=NOBODY,
                env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            )
        except (OSError, subprocess.CalledProcessError):
            return "nobody cannot read this Python"
    return None


def started(place: Place) -> Started:
    """Say how to start Python in `place`."""
    environment = {
        "TZ": place["zone"],
        "LANG": place["locale"],
        "LC_ALL": place["locale"],
        "PYTHONHASHSEED": place["seed"],
    }
    if place["optimised"]:
        environment["PYTHONOPTIMIZE"] = place["optimised"]
    if place["user"] == "nobody":
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    if place["epoch"] == "empty":
        environment["SOURCE_DATE_EPOCH"] = ""
    if place["clock"] != "real":
        began = dt.datetime.fromisoformat(place["clock"]).replace(tzinfo=dt.UTC)
        environment["LPACK_TEST_CLOCK"] = str(int(began.timestamp()))
        environment["PYTHONPATH"] = os.pathsep.join((str(_CLOCK), str(CHECKOUT)))
    python = sys.executable if place["python"] == "own" else python_of(place["python"])
    assert python is not None
    return Started(
        prefix=("taskset", "-c", "0") if place["cpus"] == "one" else (),
        python=python,
        environment=environment,
        umask=int(place["umask"], 8),
        user=NOBODY if place["user"] == "nobody" else None,
    )


def prepare(root: Path, place: Place) -> None:
    """Date the files below `root`, and give them to whoever builds there."""
    date = _CLOCK_OF_A_DATE.get(place["dates"])
    for path in [root, *root.rglob("*")]:
        if date is not None and path.is_file():
            os.utime(path, (date, date))
        if place["user"] == "nobody":
            os.chown(path, NOBODY, NOBODY)


def shown(place: Place) -> str:
    """Name a place by what is unusual about it."""
    unusual = [
        f"{name} {level or 'none'}" for name, level in place.items() if level != FACTORS[name][0]
    ]
    return ", ".join(unusual)[:150]
