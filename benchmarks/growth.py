"""How cost grows with files, bytes, distributions and functions: a fitted exponent for each.

Built from synthetic wheels, so that one quantity grows by two orders of magnitude while the others
stand still. The cost is processor time of a build from stored wheels, less that of the smallest
size, so that what a process costs anyway does not flatter the exponent.
"""

import math
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from speed import table
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel
from timing import run_process
from workload import BIN

_STEPS = (1, 10, 30, 100)
_GOAL = 1.05


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
    """Fit cost ~ size^exponent, by least squares of the logarithms, above the smallest size.

    None when fewer than two sizes cost noticeably more than the smallest one.
    """
    base = costs[min(costs)]
    points = [
        (math.log(size), math.log(cost - base))
        for size, cost in costs.items()
        if cost > base * 1.05
    ]
    if len(points) < 2:
        return None
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def measure_growth(folder: Path, *, rounds: int, steps: tuple[int, ...] = _STEPS) -> Growth:
    """Measure all quantities in `folder`; each size is built `rounds` times, the least counts."""
    growth = Growth()
    grown: dict[str, tuple[str, Callable[[Path, int], int]]] = {
        "files": ("files of a distribution", _files),
        "bytes": ("bytes of a library, MB", _bytes),
        "distributions": ("distributions", _distributions),
        "functions": ("functions", _functions),
    }
    for name, (title, make) in grown.items():
        for step in steps:
            print(f"growth: {title}, step {step} …", file=sys.stderr, flush=True)
            place = folder / f"{name}-{step}"
            size = make(place, step)
            for way, seconds in _costs(place, rounds).items():
                growth.costs.setdefault(f"{title}, {way}", {})[size] = seconds
            shutil.rmtree(place)
    return growth


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
    ]


def _costs(place: Path, rounds: int) -> dict[str, float]:
    runner = LpackRunner(home=place / "home")
    environment = runner.environment({"PIP_NO_INDEX": "1"})
    command = [str(BIN / "lpack"), "build"]

    def cost() -> float:
        return run_process(
            command, cwd=place / "project", env=environment, exit_codes=(0, 1)
        ).cpu_seconds

    def anew() -> None:
        shutil.rmtree(place / "home", ignore_errors=True)
        shutil.rmtree(place / "project" / "dist", ignore_errors=True)

    def changed() -> None:
        for path in (place / "project").glob("*.py"):
            path.write_text(f"{path.read_text()}# {Random().random()}\n")  # noqa: S311 -- a new line

    def least(prepare: Callable[[], None]) -> float:
        found = []
        for _ in range(rounds):
            prepare()
            found.append(cost())
        return min(found)

    return {
        "first build": least(anew),
        "one line of each changed": least(changed),
        "nothing changed": least(lambda: None),
    }


def _files(place: Path, step: int) -> int:
    count = 100 * step
    files = {f"many/p{n % 50}/m{n}.py": b"VALUE = %d\n" % n * 5 for n in range(count)}
    _project(place, [build_wheel(_wheels(place), "many", "1.0", files=files)])
    return count


def _bytes(place: Path, step: int) -> int:
    data = Random(1).randbytes(1_000_000) * step  # noqa: S311 -- no secret
    wheel = build_wheel(_wheels(place), "large", "1.0", files={"large/data.bin": data})
    _project(place, [wheel])
    return step


def _distributions(place: Path, step: int) -> int:
    count = 4 * step
    wheels = []
    for number in range(count):
        requires = [f"d{other}" for other in (number * 2 + 1, number * 2 + 2) if other < count]
        files = {f"d{number}/m{n}.py": b"VALUE = 1\n" * 20 for n in range(10)}
        wheels.append(
            build_wheel(_wheels(place), f"d{number}", "1.0", requires=requires, files=files)
        )
    _project(place, wheels)
    return count


def _functions(place: Path, step: int) -> int:
    count = 3 * step
    wheels = [
        build_wheel(
            _wheels(place),
            f"d{number}",
            "1.0",
            files={f"d{number}/m{n}.py": b"VALUE = 1\n" * 20 for n in range(10)},
        )
        for number in range(40)
    ]
    _project(place, wheels, functions=count)
    return count


def _wheels(place: Path) -> Path:
    folder = place / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _project(place: Path, wheels: list[Path], *, functions: int = 1) -> None:
    project = place / "project"
    project.mkdir(parents=True)
    names = [path.name.partition("-")[0] for path in wheels]
    lines = ["--no-index", f"--find-links {wheels[0].parent}", *names]
    (project / "requirements.txt").write_text("\n".join(lines) + "\n")
    text = 'runtime = "python3.13"\narchitecture = "x86_64"\nupload = "s3"\n'
    for number in range(functions):
        text += f'[functions.f{number}]\nhandler = "h{number}.handler"\nsource = ["h{number}.py"]\n'
        (project / f"h{number}.py").write_text("def handler(event, context):\n    return 1\n")
    (project / "lpack.toml").write_text(text)
