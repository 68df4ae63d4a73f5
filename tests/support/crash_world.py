"""What a command may leave behind when one of its file operations goes wrong: threats §3.

`try_plan` puts the state of a scenario back, runs the command with a fault and holds what is
there afterwards against the invariants.
"""

import hashlib
import json
import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.build_world import LIBRARY, SETTLING_SECONDS
from support.crash_scenarios import RECIPES, Recipe, Scenario, edit, lock_of, write_project
from support.disk_faults import FaultyHost, Plan, Ran, fast_folder
from support.image_world import write_aws_like_base
from support.index_server import IndexServer
from support.intensity import TORTURE
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

from packager.assemble.retired import LARGE_BYTES
from packager.wheels.store import Store
from packager.wheels.store_keeping import verify_store

# What is locked needs no pip, and asking it for its settings takes most of the time.
NO_PIP = {"FAULTY_HOST_PYTHON": "/bin/false"}
_TEMPORARY = re.compile(r"\.part$|/v1/tmp/.")
_MARK = re.compile(r"[0-9a-f]{8}-\d+-[0-9a-f]{16}")
_MAY_STAY = {"unlink", "list", "open"}
"""Whoever cannot look into a folder, or remove a file from it, cannot clean up either."""


class CrashWorld:
    """Scenarios that share an index and a folder in memory."""

    def __init__(self, folder: Path, index_url: str, wheels: Sequence[Path]) -> None:
        """Make the templates below `folder`; the `wheels` are served at `index_url`.

        The last of them is large, and only required by the projects that are called so.
        """
        self.folder = folder
        self._index_url = index_url
        self._lock, self._large_lock = (lock_of(each, index_url) for each in (wheels[:-1], wheels))
        self._lpack = LpackRunner(home=folder / "home")
        self._base = write_aws_like_base(folder / "base")
        self._scenarios: dict[str, Scenario] = {}
        self._right_after: set[tuple[str, str]] = set()

    def environment(self) -> dict[str, str]:
        """The environment of the runs."""
        return self._lpack.environment()

    def scenario(self, host: FaultyHost, name: str) -> Scenario:
        """Prepare a scenario of `RECIPES`, and run it once without a fault."""
        if name not in self._scenarios:
            self._scenarios[name] = self._made(host, name, RECIPES[name])
        return self._scenarios[name]

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Name the index in `arguments`."""
        return [self._index_url if each == "INDEX" else each for each in arguments]

    def try_plan(self, host: FaultyHost, scenario: Scenario, plan: Plan, place: Path) -> Ran:
        """Run `scenario` with `plan` in the folder `place` and demand all invariants."""
        self.set_up(host, scenario, place)
        before = _outputs(place)
        ran = self._run(host, place, scenario.command, plan=plan, may_fail=True)
        self._check_outputs(scenario, place, before, ran)
        check_answer(ran)
        self.check_after(host, scenario, place, ran)
        return ran

    def set_up(self, host: FaultyHost, scenario: Scenario, place: Path) -> None:
        """Bring the state of `scenario` into the folder `place`."""
        put_back(scenario.template, place)
        if scenario.in_place:
            self._build_in_place(host, scenario.command, place)

    def _build_in_place(self, host: FaultyHost, command: Sequence[str], place: Path) -> None:
        """Build twice where the template lies, so that a zip was replaced; then edit the code."""
        # What was copied a moment ago is not settled yet.
        time.sleep(SETTLING_SECONDS)
        for value in (3, 2):
            self._run(host, place, command)
            edit(place, value)
        assert retired_inodes(place), "no zip is kept to be written over"

    def check_after(
        self, host: FaultyHost, scenario: Scenario, place: Path, ran: Ran | None = None
    ) -> None:
        """Demand that the next run is right, and leaves a whole store and no temporaries.

        What was right after the same bytes under the same names is not tried again, but in
        `make torture`.
        """
        state = (scenario.name, _state(place))
        if state in self._right_after and not TORTURE:
            return
        told = ran.explain() if ran is not None else "a kill"
        self.check_build(host, scenario, place, told)
        left = [name for name in _files(place) if _TEMPORARY.search(name)]
        assert left == [], f"{left} left by {told}"
        damaged = verify_store(Store(place / "store" / "v1")).damaged
        assert damaged == (), f"{damaged} after {told}"
        self._right_after.add(state)

    def check_build(
        self, host: FaultyHost, scenario: Scenario, place: Path, told: str = "damage"
    ) -> None:
        """Demand that a build of what lies in `place` gives the right bytes."""
        for command in scenario.repeat:
            again = self._run(host, place, command, may_fail=True)
            assert again.exit_code == 0, f"the next run after {told}\n{again.explain()}"
        found = _outputs(place)
        assert found == scenario.golden, f"{_differing(found, scenario.golden)} after {told}"

    def _check_outputs(
        self, scenario: Scenario, place: Path, before: dict[str, str], ran: Ran
    ) -> None:
        after = _outputs(place)
        for name in {*before, *after}:
            # A blob that no index names does no harm, as long as it is what its name says.
            blob = "/blobs/" in name and after.get(name) in (None, name.rpartition("/")[2])
            allowed = {before.get(name), scenario.golden.get(name)}
            assert blob or after.get(name) in allowed, f"{name} is damaged by {ran.explain()}"
        for index in (place / "project" / "dist").glob("*.oci/index.json"):
            missing = _missing_blobs(index)
            assert not missing, f"{index} lacks {missing} after {ran.explain()}"
        if ran.exit_code == 0 and scenario.command in scenario.repeat[-1:]:
            there = {name: digest for name, digest in after.items() if "/blobs/" not in name}
            wanted = scenario.golden if len(there) == len(after) else {**after, **scenario.golden}
            assert after == wanted, f"success without a result: {ran.explain()}"
        if ran.exit_code > 0 and ran.plan.mode == "fail" and ran.plan.operation not in _MAY_STAY:
            left = [name for name in _files(place / "project") if _TEMPORARY.search(name)]
            assert left == [], f"{left} left by {ran.explain()}"

    def _made(self, host: FaultyHost, name: str, recipe: Recipe) -> Scenario:
        template = self.folder / "templates" / name.replace(" ", "-")
        if recipe.built_before:
            warm = self.folder / "templates" / f"warm-{recipe.project}"
            if not warm.exists():
                self._write(warm, recipe.project)
                # The same folder each time: images remember by it what lies there.
                self._run(host, warm, recipe.repeat[-1])
            copy(warm, template)
        else:
            self._write(template, recipe.project)
        recipe.prepare(template)
        place = self.folder / "golden"
        put_back(template, place)
        if recipe.in_place:
            self._build_in_place(host, recipe.command, place)
        kept = retired_inodes(place)
        ran = self._run(host, place, recipe.command)
        made = {path.stat().st_ino for path in place.glob("project/dist/*.zip")}
        assert kept <= made, "the zip that was kept did not become the new one"
        for command in recipe.repeat if recipe.command not in recipe.repeat[-1:] else ():
            self._run(host, place, command)
        golden = _outputs(place)
        assert len(golden) >= 2
        return Scenario(
            name=name,
            template=template,
            command=recipe.command,
            repeat=recipe.repeat,
            golden=golden,
            operations=ran.operations,
            in_place=recipe.in_place,
        )

    def _write(self, place: Path, project: str) -> None:
        lock = self._large_lock if project == "large" else self._lock
        write_project(place, project, lock=lock, base=self._base)

    def _run(
        self,
        host: FaultyHost,
        place: Path,
        arguments: Sequence[str],
        *,
        plan: Plan | None = None,
        may_fail: bool = False,
    ) -> Ran:
        ran = host.run(
            self.command(arguments),
            folder=place / "project",
            watched=[place],
            plan=plan,
            environment={"LPACK_CACHE_DIR": str(place / "store"), **NO_PIP},
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
            build_wheel(
                folder / "wheels", "large", "1.0",
                files={"large/noise.bin": random.Random(1).randbytes(LARGE_BYTES)},  # noqa: S311
            ),
        ]  # fmt: skip
        with IndexServer(wheels) as index:
            yield CrashWorld(folder, index.url, wheels)


def put_back(template: Path, place: Path) -> None:
    """Bring a state into the folder `place`."""
    shutil.rmtree(place, ignore_errors=True)
    copy(template, place)


def retired_inodes(place: Path) -> set[int]:
    """Tell which zips the store of `place` keeps to be written over by the next build."""
    return {path.stat().st_ino for path in place.glob("store/v1/retired/*/*.zip")}


def copy(source: Path, destination: Path) -> None:
    """Copy a state, its dates too."""
    shutil.copytree(source, destination, symlinks=True)


def _files(folder: Path) -> list[str]:
    """Return the paths of all files, and of folders among the temporaries."""
    return [
        os.path.join(top, name)  # noqa: PTH118 -- thousands of times
        for top, folders, names in os.walk(folder)
        for name in (*names, *(folders if top.endswith("/v1/tmp") else ()))
    ]


def _state(place: Path) -> str:
    """Digest what lies below `place`: names, without the random part, and contents."""
    digest = hashlib.sha256()
    for path in sorted(_files(place)):
        name = _MARK.sub("mark", path.removeprefix(str(place)))
        with open(path, "rb") as file:  # noqa: PTH123 -- thousands of times
            content = hashlib.sha256(file.read()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def _outputs(place: Path) -> dict[str, str]:
    """Return the digests of all outputs, by their path below dist."""
    dist = place / "project" / "dist"
    return {
        name.removeprefix(str(dist)): hashlib.sha256(Path(name).read_bytes()).hexdigest()
        for name in _files(dist)
        if not _TEMPORARY.search(name)
    }


def _differing(found: dict[str, str], wanted: dict[str, str]) -> str:
    names = [name for name in {*found, *wanted} if found.get(name) != wanted.get(name)]
    return f"wrong or missing: {sorted(names)}"


def _missing_blobs(index: Path) -> list[str]:
    """Return the digests that an image in the layout of `index` names and that are not there."""
    blobs = index.parent / "blobs" / "sha256"

    def place(descriptor: dict[str, str]) -> Path:
        return blobs / descriptor["digest"].removeprefix("sha256:")

    missing = []
    for entry in json.loads(index.read_text(encoding="utf-8"))["manifests"]:
        if not place(entry).is_file():
            missing.append(entry["digest"])
            continue
        manifest = json.loads(place(entry).read_text(encoding="utf-8"))
        parts = [manifest["config"], *manifest["layers"]]
        missing += [part["digest"] for part in parts if not place(part).is_file()]
    return missing
