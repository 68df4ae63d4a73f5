"""How cost grows with files, bytes, distributions and functions: a fitted exponent for each.

Built from synthetic wheels, so that one quantity grows by two orders of magnitude while the others
stand still. The cost is processor time of a build, modelled as `a + b * size ** k`: what a process
costs anyway (`a`) shall not flatter the exponent `k`. The wheels come from an index with metadata
files, as real ones have: from a folder uv would unpack each, and its cost would be measured.
"""

import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from operator import mul
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from speed import table
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel
from timing import run_process
from workload import BIN

_STEPS = (1, 2, 5, 10, 20, 50, 100)
_GOAL = 1.05
_SETTLED_SECONDS = 0.1


@dataclass(kw_only=True)
class Growth:
    """For each quantity and way the seconds of processor time by size."""

    costs: dict[str, dict[int, float]] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            name: {**costs, "exponent": exponent_of(costs)} for name, costs in self.costs.items()
        }


def exponent_of(costs: Mapping[int, float]) -> float | None:
    """Fit `a + b * size ** k` to `costs` and return k.

    The squares of the relative errors are least, as every size counts alike, and neither a nor b
    is negative. None when the largest size costs less than twice what the smallest one does:
    nearly any k fits a flat line.
    """
    smallest, largest = min(costs), max(costs)
    if len(costs) < 3 or costs[largest] < costs[smallest] * 2:
        return None
    exponents = [step / 100 for step in range(20, 301)]
    return min(exponents, key=lambda k: _misfit(costs, k))


def _misfit(costs: Mapping[int, float], exponent: float) -> float:
    """Return the sum of the squared relative errors of the best `a + b * size ** exponent`.

    Divided by the costs, the model is `a * u + b * v = 1`: two normal equations.
    """
    u = [1 / cost for cost in costs.values()]
    v = [size**exponent / cost for size, cost in costs.items()]
    uu, vv, uv = (sum(map(mul, *pair)) for pair in ((u, u), (v, v), (u, v)))
    a = (sum(u) * vv - sum(v) * uv) / (uu * vv - uv * uv)
    a = max(a, 0.0)
    b = (sum(v) - a * uv) / vv
    return sum((a * left + b * right - 1) ** 2 for left, right in zip(u, v, strict=True))


def measure_growth(
    folder: Path, growth: Growth, *, rounds: int, steps: tuple[int, ...] = _STEPS
) -> None:
    """Measure all quantities in `folder`; the sizes take turns `rounds` times, the least counts."""
    grown: dict[str, tuple[str, Callable[[Path, int], tuple[int, list[Path]]]]] = {
        "files": ("files of a distribution", _files),
        "bytes": ("bytes of a library, MB", _bytes),
        "distributions": ("distributions", _distributions),
        "functions": ("functions", _functions),
    }
    for name, (title, make) in grown.items():
        with ExitStack() as indexes:
            places: dict[int, _Place] = {}
            for step in steps:
                size, wheels = make(folder / f"{name}-{step}", step)
                url = indexes.enter_context(IndexServer(wheels)).url
                functions = size if name == "functions" else 1
                places[size] = _Place(folder / f"{name}-{step}", wheels, url, functions)
            for number in range(rounds):
                print(f"growth: {title}, round {number + 1} …", file=sys.stderr, flush=True)
                for size, place in places.items():
                    for way, seconds in _costs(place, number).items():
                        known = growth.costs.setdefault(f"{title}, {way}", {})
                        known[size] = min(seconds, known.get(size, seconds))
        for place in places.values():
            shutil.rmtree(place.folder)


class _Place(NamedTuple):
    """Wheels of one size and their index; each round has a folder of its own."""

    folder: Path
    wheels: list[Path]
    index_url: str
    functions: int


def render_growth(growth: Growth) -> list[str]:
    """Write the section."""
    rows = {}
    for name, costs in growth.costs.items():
        exponent = exponent_of(costs)
        fitted = "too flat to fit" if exponent is None else f"{exponent:.2f}"
        missed = " **missed**" if exponent is not None and exponent > _GOAL else ""
        sizes = ", ".join(f"{size}: {seconds:.2f}" for size, seconds in costs.items())
        rows[name] = [sizes, f"{fitted}{missed}"]
    return [
        "## Growth",
        "",
        *table("", ["size: seconds of processor time", f"exponent (≤ {_GOAL})"], rows),
        "",
        "Least of several rounds. The exponent is k of *a + b × size^k*, fitted with least",
        "relative errors over two orders of magnitude.",
        "",
    ]


def _costs(place: _Place, number: int) -> dict[str, float]:
    """Build three times in a new folder: where much was deleted just before, builds take longer.

    File systems give deleted blocks back on the account of whoever writes next.
    """
    folder = place.folder / f"round-{number}"
    project = _project(folder, place)
    environment = LpackRunner(home=folder / "home").environment()
    command = [str(BIN / "lpack"), "build"]

    def cost() -> float:
        return run_process(command, cwd=project, env=environment, exit_codes=(0, 1)).cpu_seconds

    first = cost()
    for path in project.glob("*.py"):
        path.write_text(f"{path.read_text()}# {Random().random()}\n")  # noqa: S311 -- a new line
    # What was written a moment before a build might be written again: the next one looks at it.
    time.sleep(_SETTLED_SECONDS)
    return {
        "first build": first,
        "one line of each changed": cost(),
        "nothing changed": cost(),
    }


def _files(place: Path, step: int) -> tuple[int, list[Path]]:
    count = 400 * step
    files = {f"many/p{n % 50}/m{n}.py": b"VALUE = %d\n" % n * 5 for n in range(count)}
    return count, [build_wheel(_wheels(place), "many", "1.0", files=files)]


def _bytes(place: Path, step: int) -> tuple[int, list[Path]]:
    data = Random(1).randbytes(1_000_000) * step * 2  # noqa: S311 -- no secret
    return 2 * step, [build_wheel(_wheels(place), "large", "1.0", files={"large/data.bin": data})]


def _distributions(place: Path, step: int) -> tuple[int, list[Path]]:
    count = 4 * step
    return count, [
        _small(
            place,
            number,
            requires=[f"d{other}" for other in (number * 2 + 1, number * 2 + 2) if other < count],
        )
        for number in range(count)
    ]


def _functions(place: Path, step: int) -> tuple[int, list[Path]]:
    return 3 * step, [_small(place, number) for number in range(40)]


def _small(place: Path, number: int, *, requires: Sequence[str] = ()) -> Path:
    files = {f"d{number}/m{n}.py": b"VALUE = 1\n" * 20 for n in range(10)}
    return build_wheel(_wheels(place), f"d{number}", "1.0", requires=requires, files=files)


def _wheels(place: Path) -> Path:
    folder = place / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _project(folder: Path, place: _Place) -> Path:
    project = folder / "project"
    project.mkdir(parents=True)
    names = [path.name.partition("-")[0] for path in place.wheels]
    lines = [f"--index-url {place.index_url}", *names]
    (project / "requirements.txt").write_text("\n".join(lines) + "\n")
    text = 'runtime = "python3.13"\narchitecture = "x86_64"\nupload = "s3"\n'
    for number in range(place.functions):
        text += f'[functions.f{number}]\nhandler = "h{number}.handler"\nsource = ["h{number}.py"]\n'
        (project / f"h{number}.py").write_text("def handler(event, context):\n    return 1\n")
    (project / "lpack.toml").write_text(text)
    return project
