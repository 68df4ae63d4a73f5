"""Tries mutants that mutmut made; run in its folder `mutants`, with their names on stdin.

mutmut begins a pytest of its own for each mutant, and what that pytest does before its first test
(imports, hostile archives that are made once) costs ten times what noticing the mutant does.
Here one pytest collects everything once, and a fork of it tries one mutant: of the tests that
reach the changed function the quickest first, until one fails. Verdicts are written where mutmut
keeps its own, so a run that is cut short loses nothing.
"""

import argparse
import contextlib
import gc
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

_CPU_SECONDS = 10
"""CPU time after which a test is caught in a loop; what it takes otherwise is added ten times."""
_WALL_SECONDS = 900
"""Time after which a mutant waits for something that does not come."""


class Trials:
    """A pytest plugin that tries mutants instead of running the tests once."""

    def __init__(self, names: Sequence[str], longest_seconds: float) -> None:
        """Try the mutants `names` with tests of at most `longest_seconds`."""
        stats = json.loads(Path("mutmut-stats.json").read_text())
        self._seconds: dict[str, float] = stats["duration_by_test"]
        self._reaching: dict[str, list[str]] = stats["tests_by_mangled_function_name"]
        self._names = names
        self._longest_seconds = longest_seconds

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fork for each mutant; the parent never runs a test itself."""
        gc.freeze()  # or every fork copies what all tests hold
        for name in self._names:
            function = name.rpartition("__mutmut_")[0]
            items = self._choose(session.items, set(self._reaching.get(function, ())))
            _record(name, self._try(items, name) if items else 33)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """End the fork at the first failure: the mutant is noticed."""
        if report.failed:
            os._exit(1)

    def _choose(self, items: Iterable[pytest.Item], reaching: set[str]) -> list[pytest.Item]:
        """The tests that reach a function, the quickest first; new ones may reach any."""
        timed = [(self._seconds.get(item.nodeid, -1.0), item) for item in items]
        chosen = [
            (seconds, item)
            for seconds, item in timed
            if seconds <= self._longest_seconds and (seconds < 0 or item.nodeid in reaching)
        ]
        return [item for _, item in sorted(chosen, key=lambda pair: pair[0])]

    def _try(self, items: Sequence[pytest.Item], name: str) -> int:
        """Run `items` in a fork in which mutant `name` is active; its exit code.

        0 is a survivor, 1 a failed test, the negative number of a signal no end in time.
        """
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        try:
            plugins = items[0].config.pluginmanager
            plugins.unregister(name="terminalreporter")
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_WALL_SECONDS)
            os.environ["MUTANT_UNDER_TEST"] = name
            for item, following in zip(items, [*items[1:], None], strict=True):
                allowed = _CPU_SECONDS + 10 * self._seconds.get(item.nodeid, 0)
                signal.setitimer(signal.ITIMER_PROF, allowed)
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        except BaseException:  # noqa: BLE001 -- whatever ends the tests is a failure
            os._exit(1)
        os._exit(0)


def _record(name: str, code: int) -> None:
    module = name.rpartition(".")[0].replace(".", "/")
    path = Path(f"{module}.py.meta")
    known = json.loads(path.read_text())
    known["exit_code_by_key"][name] = code
    new = path.with_suffix(".new")
    new.write_text(json.dumps(known, indent=4))
    new.replace(path)


def main() -> int:
    """Collect the tests of `[tool.mutmut]` and try the mutants named on stdin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--longest", type=float, required=True)
    parser.add_argument("tests", nargs="+")
    chosen = parser.parse_args()
    with contextlib.suppress(ValueError):
        sys.path.remove(str(Path(__file__).parent))
    sys.path.insert(0, str(Path.cwd()))  # the mutants, not what is installed
    os.environ["MUTANT_UNDER_TEST"] = ""
    trials = Trials(sys.stdin.read().split(), chosen.longest)
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--rootdir=.", "-q", "-n", "0", f"--basetemp={folder}/tests", *chosen.tests]
        return int(pytest.main(arguments, plugins=[trials]))


if __name__ == "__main__":
    raise SystemExit(main())
