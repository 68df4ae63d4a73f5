"""How many small changes of the zip core and of the subtraction the tests near them notice.

mutmut (its settings are in `pyproject.toml`) makes the changes and finds which tests reach which
function; `mutant_trials.py` runs them. `mutants.py` tries a sample: the same share of every
module, at least SMALLEST of each, the same ones in every run. `--all` tries them all, and a name
such as `wheels/layout` only those of that module.
"""

import argparse
import json
import math
import random
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = ROOT / "mutants"
SAMPLE = 600
SMALLEST = 12
GOAL = 0.85
_SEED = 7
_NOTICED = frozenset({1, -signal.SIGALRM, -signal.SIGPROF})
"""A failed test, or no end in time. 0 is a survivor; 33: no test comes by."""
_REFRESHING = "packager.wheels.zip_reader.x_check_unicode_path__mutmut_1"
"""A mutant that mutmut itself tries quickly; it makes all of them and times all tests before."""


def verdicts() -> dict[str, dict[str, int | None]]:
    """By module the exit code of each of its mutants, None for those that were not run."""
    return {
        path.relative_to(MADE).as_posix().removesuffix(".meta"): codes
        for path in sorted((MADE / "packager").rglob("*.py.meta"))
        if (codes := json.loads(path.read_text())["exit_code_by_key"])
    }


def sampled(modules: Mapping[str, Mapping[str, int | None]], count: int) -> Iterator[str]:
    """The names of about `count` mutants, of every module its share."""
    total = sum(map(len, modules.values()))
    for module, codes in modules.items():
        share = max(SMALLEST, round(len(codes) * count / total))
        names = sorted(codes)
        rng = random.Random(f"{_SEED} {module}")  # noqa: S311 -- the same in every run
        yield from rng.sample(names, min(share, len(names)))


def interval(hits: int, tries: int) -> tuple[float, float]:
    """The range that holds the true share in 95 of 100 samples (Wilson)."""
    z, share = 1.96, hits / tries
    middle = share + z * z / (2 * tries)
    spread = z * math.sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries))
    return (middle - spread) / (1 + z * z / tries), (middle + spread) / (1 + z * z / tries)


def table() -> Iterator[str]:
    """A line for each module, also for those of which none was tried, and one for all of them."""
    everything: Counter[str] = Counter()
    for module, codes in verdicts().items():
        tried = [code for code in codes.values() if code is not None]
        noticed = sum(code in _NOTICED for code in tried)
        everything += Counter(tried=len(tried), noticed=noticed, made=len(codes))
        yield f"{module:42} {noticed:5} of {len(tried):5} of {len(codes):5}"
    hits, tries, made = (everything[key] for key in ("noticed", "tried", "made"))
    yield f"{'noticed of tried of all':42} {hits:5} of {tries:5} of {made:5}"
    if tries:
        low, high = interval(hits, tries)
        yield f"{hits / tries:.1%} of those tried ({low:.1%} to {high:.1%})"
    if hits < GOAL * tries:
        yield f"fewer than {GOAL:.0%} are noticed"


def refresh() -> None:
    """Let mutmut make the mutants of what has changed, and time the tests that are new."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2", _REFRESHING]
    subprocess.run(["nice", "-n", "19", *command], cwd=ROOT, check=True)


def run(names: Iterable[str], longest_seconds: float) -> None:
    """Try the mutants of these names."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    tests = settings["pytest_add_cli_args_test_selection"]
    trials = [MADE / "tests/support/mutant_trials.py", "--longest", str(longest_seconds), *tests]
    subprocess.run(
        ["nice", "-n", "19", sys.executable, *trials],
        cwd=MADE,
        check=True,
        input="\n".join(names),
        text=True,
    )


def main() -> int:
    """Try the mutants, show the table, fail below the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="such as wheels/layout (default: all)")
    parser.add_argument("--sample", type=int, default=SAMPLE)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--survivors", action="store_true", help="only try again what survived")
    parser.add_argument("--longest", type=float, default=math.inf, help="leave out tests above")
    parser.add_argument("--table", action="store_true", help="only show what was found")
    chosen = parser.parse_args()
    if not chosen.table:
        refresh()
        paths = {f"packager/{module}.py" for module in chosen.modules}
        modules = {path: codes for path, codes in verdicts().items() if not paths or path in paths}
        every = [(name, code) for codes in modules.values() for name, code in codes.items()]
        if chosen.survivors:
            names = [name for name, code in every if code is not None and code not in _NOTICED]
        elif chosen.all:
            names = [name for name, code in every if code is None]
        else:
            names = list(sampled(modules, chosen.sample))
        run(names, chosen.longest)
    lines = list(table())
    print("\n".join(lines))
    return int(lines[-1].startswith("fewer"))


if __name__ == "__main__":
    raise SystemExit(main())
