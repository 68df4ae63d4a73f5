"""What a build may leave behind when one of its file operations goes wrong: threats §3.

A scenario is a project and a store in a certain state, and what a build makes of them when
nothing goes wrong. `try_plan` puts that state back, runs a build with a fault and holds what is
there afterwards against the invariants.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.build_world import LIBRARY
from support.disk_faults import ERRNOS, FaultyHost, Plan, Ran, fast_folder
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

from packager.wheels.store import Store
from packager.wheels.store_keeping import verify_store

_PYPROJECT = """
[tool.lpack]
runtime = "python3.13"
architecture = "x86_64"
requirements = ["pylock.toml"]
source = ["app.py"]

[tool.lpack.functions.api]
handler = "app.handler"
"""
# What is locked needs no pip, and asking it for its settings takes most of the time.
_NO_PIP = {"FAULTY_HOST_PYTHON": "/bin/false"}
_TEMPORARY = re.compile(r"\.part$|/v1/tmp/.+-.+-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A state of project and store below `template`; `golden` are the outputs' right digests."""

    name: str
    template: Path
    arguments: tuple[str, ...]
    golden: dict[str, str]
    operations: tuple[str, ...]

    def kills(self) -> list[Plan]:
        """One plan for every boundary between two operations, and for every half operation."""
        numbers = range(1, len(self.operations) + 1)
        modes = ("kill-before", "kill-within")
        return [Plan(mode=mode, number=number) for number in numbers for mode in modes]

    def errors(self) -> list[Plan]:
        """One plan for every operation, every errno it can answer, once and for good."""
        return [
            Plan(mode=mode, operation=operation, number=number, errno=code)
            for operation, codes in ERRNOS.items()
            for number in range(1, self.operations.count(operation) + 1)
            for code in codes
            for mode in ("fail", "fail-always")
        ]


class CrashWorld:
    """Scenarios that share an index and a folder in memory."""

    def __init__(self, folder: Path, index_url: str) -> None:
        """Make the templates below `folder`; wheels are served at `index_url`."""
        self.folder = folder
        self.index_url = index_url
        self._lpack = LpackRunner(home=folder / "home")

    def environment(self) -> dict[str, str]:
        """The environment of the runs."""
        return self._lpack.environment()

    def scenarios(self, host: FaultyHost) -> list[Scenario]:
        """Build each once without a fault."""
        first = self.folder / "first"
        project = first / "project"
        project.mkdir(parents=True)
        (project / "pyproject.toml").write_text(_PYPROJECT, encoding="utf-8")
        (project / "requirements.txt").write_text("alpha\n", encoding="utf-8")
        self._edit(first, 1)
        self._run(host, first, ("-r", "requirements.txt", "--lock"), locks=True)
        shutil.rmtree(first / "store")
        shutil.rmtree(project / "dist")
        cold = self._scenario(host, "cold", first, ())
        warm = self.folder / "warm"
        _copy(first, warm)
        self._run(host, warm, ())
        edited = self.folder / "edited"
        _copy(warm, edited)
        self._edit(edited, 2)
        code = self._scenario(host, "edited code", edited, ())
        release = self._scenario(host, "other settings", warm, ("--release",))
        return [cold, code, release]

    def try_plan(self, host: FaultyHost, scenario: Scenario, plan: Plan, place: Path) -> Ran:
        """Run `scenario` with `plan` in the folder `place` and demand all invariants."""
        shutil.rmtree(place, ignore_errors=True)
        _copy(scenario.template, place)
        before = _outputs(place)
        ran = self._run(host, place, scenario.arguments, plan=plan, may_fail=True)
        self._check_outputs(scenario, place, before, ran)
        check_answer(ran)
        self.check_after(host, scenario, place, ran)
        return ran

    def check_after(
        self, host: FaultyHost, scenario: Scenario, place: Path, ran: Ran | None = None
    ) -> None:
        """Demand that the next run is right, and leaves a whole store and no temporaries."""
        told = ran.explain() if ran is not None else "a kill"
        self.check_build(host, scenario, place, told)
        left = [name for name in _files(place) if _TEMPORARY.search(name)]
        assert left == [], f"{left} left by {told}"
        damaged = verify_store(Store(place / "store" / "v1")).damaged
        assert damaged == (), f"{damaged} after {told}"

    def check_build(
        self, host: FaultyHost, scenario: Scenario, place: Path, told: str = "damage"
    ) -> None:
        """Demand that a build of what lies in `place` gives the right bytes."""
        again = self._run(host, place, scenario.arguments, may_fail=True)
        assert again.exit_code == 0, f"the next run after {told}\n{again.explain()}"
        assert _outputs(place) == scenario.golden, f"wrong bytes after {told}"

    def _check_outputs(
        self, scenario: Scenario, place: Path, before: dict[str, str], ran: Ran
    ) -> None:
        after = _outputs(place)
        for name in (*before, *after):
            allowed = {before.get(name), scenario.golden[name]}
            assert after.get(name) in allowed, f"{name} is damaged by {ran.explain()}"
        if ran.exit_code == 0:
            assert after == scenario.golden, f"success without a result: {ran.explain()}"

    def _scenario(
        self, host: FaultyHost, name: str, template: Path, arguments: tuple[str, ...]
    ) -> Scenario:
        place = self.folder / "golden"
        shutil.rmtree(place, ignore_errors=True)
        _copy(template, place)
        ran = self._run(host, place, arguments)
        golden = _outputs(place)
        assert len(golden) == 2
        return Scenario(
            name=name,
            template=template,
            arguments=arguments,
            golden=golden,
            operations=ran.operations,
        )

    def _edit(self, place: Path, value: int) -> None:
        code = f"import alpha\n\n\ndef handler(event, context):\n    return {value}\n"
        (place / "project" / "app.py").write_text(code, encoding="utf-8")

    def _run(
        self,
        host: FaultyHost,
        place: Path,
        arguments: Sequence[str],
        *,
        plan: Plan | None = None,
        may_fail: bool = False,
        locks: bool = False,
    ) -> Ran:
        store = {"LPACK_CACHE_DIR": str(place / "store")}
        ran = host.run(
            ("build", "--index-url", self.index_url, *arguments),
            folder=place / "project",
            watched=[place],
            plan=plan,
            environment=store if locks else store | _NO_PIP,
        )
        assert may_fail or ran.exit_code == 0, ran.explain()
        return ran


def check_answer(ran: Ran) -> None:
    """Demand one line that names what went wrong, and no traceback."""
    if ran.exit_code == 0 or ran.exit_code < 0:
        assert ran.exit_code >= 0 or ran.plan.mode.startswith("kill"), ran.explain()
        return
    assert "Traceback" not in ran.stderr, ran.explain()
    assert ran.exit_code in (2, 3), ran.explain()
    errors = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, ran.explain()


def thinned(plans: Sequence[Plan], count: int) -> list[Plan]:
    """Take `count` of `plans`, evenly."""
    if len(plans) <= count:
        return list(plans)
    return [plans[round(number * len(plans) / count)] for number in range(count)]


@contextmanager
def crash_world() -> Iterator[CrashWorld]:
    """Yield a world in memory, with its index."""
    with tempfile.TemporaryDirectory(prefix="crash-", dir=fast_folder()) as name:
        folder = Path(name)
        wheels = [
            build_wheel(
                folder / "wheels", "alpha", "1.0", requires=["beta"],
                files={"alpha/__init__.py": b"VALUE = 1\n" * 400},
            ),
            build_wheel(folder / "wheels", "beta", "1.2", files={"beta/_native.so": LIBRARY}),
        ]  # fmt: skip
        with IndexServer(wheels) as index:
            yield CrashWorld(folder, index.url)


def _copy(source: Path, destination: Path) -> None:
    shutil.copytree(source, destination, symlinks=True)


def _files(folder: Path) -> list[str]:
    return [os.path.join(top, name) for top, _, names in os.walk(folder) for name in names]  # noqa: PTH118


def _outputs(place: Path) -> dict[str, str]:
    found = (place / "project" / "dist").glob("api.*")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
