"""How many small changes of the zip core and of the subtraction the tests near them notice.

mutmut (its settings are in `pyproject.toml`) makes the changes and runs, for each, the tests that
reach the changed function, the quickest first. `mutants.py` tries a sample: the same share of
every module, at least SMALLEST of each, the same ones in every run. `--all` tries them all.
"""

import argparse
import json
import math
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = ROOT / "mutants"
SAMPLE = 600
SMALLEST = 12
GOAL = 0.85
_SEED = 7
_NOTICED = frozenset({1, 3, 24, 36, 152, 255, -24})
"""A failed test, or no end in time. 0 is a survivor; 5 and 33: no test comes by."""
_NEVER = frozenset({None, 34, 37})
"""Not run, or left out by a pragma."""


def verdicts() -> dict[str, dict[str, int | None]]:
    """By module the exit code of each of its mutants, None for those that were not run."""
    return {
        path.relative_to(MADE).as_posix().removesuffix(".meta"): codes
        for path in sorted(MADE.rglob("*.py.meta"))
        if (codes := json.loads(path.read_text())["exit_code_by_key"])
    }


def sampled(count: int) -> list[str]:
    """The names of about `count` mutants, of every module its share."""
    modules = verdicts()
    total = sum(map(len, modules.values()))
    chosen: list[str] = []
    for module, codes in modules.items():
        share = max(SMALLEST, round(len(codes) * count / total))
        names = sorted(codes)
        rng = random.Random(f"{_SEED} {module}")  # noqa: S311 -- the same in every run
        chosen += rng.sample(names, min(share, len(names)))
    return chosen


def interval(hits: int, tries: int) -> tuple[float, float]:
    """The range that holds the true share in 95 of 100 samples (Wilson)."""
    z, share = 1.96, hits / tries
    middle = share + z * z / (2 * tries)
    spread = z * math.sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries))
    return (middle - spread) / (1 + z * z / tries), (middle + spread) / (1 + z * z / tries)


def table() -> Iterator[str]:
    """A line for each module and one for all of them."""
    everything: Counter[str] = Counter()
    for module, codes in verdicts().items():
        run = [code for code in codes.values() if code not in _NEVER]
        counted = Counter(tried=len(run), noticed=sum(code in _NOTICED for code in run))
        everything += counted
        if run:
            yield f"{module:42} {counted['noticed']:5} of {counted['tried']:5}"
    hits, tries = everything["noticed"], everything["tried"]
    low, high = interval(hits, tries)
    yield f"{'all':42} {hits:5} of {tries:5} = {hits / tries:.1%} ({low:.1%} to {high:.1%})"
    if hits / tries < GOAL:
        yield f"fewer than {GOAL:.0%} are noticed"


def run(*names: str) -> None:
    """Let mutmut try the mutants of these names; without names it tries all."""
    command = ["nice", "-n", "19", sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
    subprocess.run([*command, *names], cwd=ROOT, check=True)


def main() -> int:
    """Try the mutants, show the table, fail below the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=SAMPLE)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--table", action="store_true", help="only show what was found")
    chosen = parser.parse_args()
    if not chosen.table and chosen.all:
        run()
    elif not chosen.table:
        if not MADE.is_dir():
            run("packager.assemble.checked.*")  # makes the mutants of all modules
        run(*sampled(chosen.sample))
    lines = list(table())
    print("\n".join(lines))
    return int(lines[-1].startswith("fewer"))


if __name__ == "__main__":
    raise SystemExit(main())
