"""Many builds on one store, beside somebody who prunes and verifies it, and kills (threats C4)."""

import contextlib
import hashlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.build_world import make_wheels, write_project
from support.crash_scenarios import lock_of
from support.crash_world import NO_PIP
from support.disk_faults import FaultyHost, fast_folder, why_not
from support.index_server import IndexServer
from support.intensity import times
from support.lpack_runner import LpackRunner

from packager.wheels.store import Store
from packager.wheels.store_keeping import prune_store, verify_store

BUILDERS = times(8, 32)
BUILDS = times(5, 50)
BLOCKED_SECONDS = 60.0
# A machine may be slow; then all builds are.
DEADLINE_SECONDS = 300.0
VARIANTS: tuple[tuple[str, ...], ...] = (
    (),
    ("--release",),
    ("--arch", "arm64"),
    ("-r", "requirements.txt"),
)
pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


class Yard:
    """A store, an index and as many copies of a project as there are builders.

    Builders are forks of hosts, which saves the start of the interpreter; what is killed is
    started as users start it.
    """

    def __init__(self, folder: Path, index_url: str, lock: str) -> None:
        self.folder = folder
        self.index_url = index_url
        self.lock = lock
        self.lpack = LpackRunner(home=folder / "home")

    def project(self, name: str) -> Path:
        project = self.folder / name
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        write_project(project)
        # Asking a resolver takes longer than everything else; one variant does.
        (project / "pylock.toml").write_text(self.lock, encoding="utf-8")
        settings = (project / "pyproject.toml").read_text(encoding="utf-8")
        settings = settings.replace('["requirements.txt"]', '["pylock.toml"]')
        (project / "pyproject.toml").write_text(settings, encoding="utf-8")
        return project

    def start(self, project: Path, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "packager", "build", "--index-url", self.index_url]
        return subprocess.Popen(
            [*command, *arguments], cwd=project, env=self.lpack.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def build(self, host: FaultyHost, project: Path, arguments: tuple[str, ...]) -> tuple[str, str]:
        """Build to the end; returns the outputs' digests."""
        done = host.run(
            ("build", "--index-url", self.index_url, *arguments),
            folder=project,
            environment={} if "-r" in arguments else NO_PIP,
            seconds=DEADLINE_SECONDS,
        )
        assert done.exit_code == 0, f"{arguments}: {done.exit_code}\n{done.stderr}"
        return outputs(project)


def outputs(project: Path) -> tuple[str, str]:
    first, second = sorted((project / "dist").glob("api.*"))
    return (
        hashlib.sha256(first.read_bytes()).hexdigest(),
        hashlib.sha256(second.read_bytes()).hexdigest(),
    )


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with tempfile.TemporaryDirectory(prefix="yard-", dir=fast_folder()) as name:
        folder = Path(name)
        wheels = make_wheels(folder / "wheels")
        # Nothing requires delta.
        locked = [wheel for wheel in wheels if not wheel.name.startswith("delta")]
        with IndexServer(wheels) as index:
            yield Yard(folder, index.url, lock_of(locked, index.url))


@pytest.fixture(scope="module")
def hosts(yard: Yard) -> Iterator[list[FaultyHost]]:
    with ExitStack() as stack:
        made = [FaultyHost(yard.lpack.environment()) for _ in range(BUILDERS)]
        yield [stack.enter_context(each) for each in made]


@dataclass
class Turmoil:
    """What goes on beside the builders until they are `done`, and how long their builds took."""

    done: threading.Event = field(default_factory=threading.Event)
    pruned: list[int] = field(default_factory=list)
    killed: list[bool] = field(default_factory=list)
    lasting: list[float] = field(default_factory=list)

    def keep(self, store: Store) -> None:
        """Prune all of it again and again, and look at what is left.

        What is newer than half a build stays. Users' pruning spares a minute: were all that a
        slow build has just made removed each time, it would never come to an end.
        """
        chance = random.Random(1)  # noqa: S311 -- no secret
        while not self.done.wait(chance.uniform(0.05, 0.3)):
            spare = statistics.median(self.lasting) / 2 if self.lasting else BLOCKED_SECONDS
            limit = chance.choice((0, 4000, 20_000))
            gone = prune_store(store, keep_bytes=limit, spare_seconds=max(1.0, spare))
            self.pruned.append(len(gone))
            assert verify_store(store).damaged == ()

    def kill(self, yard: Yard) -> None:
        """Start builds and kill them."""
        chance = random.Random(2)  # noqa: S311 -- no secret
        project = yard.project("killed")
        while not self.done.is_set():
            process = yard.start(project, chance.choice(VARIANTS))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.05, 0.5))
            process.kill()
            process.communicate()
            self.killed.append(process.returncode == -signal.SIGKILL)

    def disturbs(self) -> bool:
        """Tell whether enough was pruned and killed."""
        return sum(self.pruned) > 10 and sum(self.killed) > 3


def test_builders_on_one_store_with_prune_and_kills(yard: Yard, hosts: list[FaultyHost]) -> None:
    golden = {each: yard.build(hosts[0], yard.project("first"), each) for each in VARIANTS}
    shutil.rmtree(yard.lpack.store)
    store = Store(yard.lpack.store / "v1")
    turmoil = Turmoil()

    def builder(number: int) -> None:
        chance = random.Random(10 + number)  # noqa: S311 -- no secret
        builds = 0
        # On a fast machine all would be built before anything is old enough to be pruned.
        until = time.monotonic() + BLOCKED_SECONDS
        while builds < BUILDS or (not turmoil.disturbs() and time.monotonic() < until):
            project = yard.project(f"builder{number}")
            variant, began = chance.choice(VARIANTS), time.monotonic()
            found = yard.build(hosts[number], project, variant)
            turmoil.lasting.append(time.monotonic() - began)
            builds += 1
            assert found == golden[variant], f"builder {number}, turn {builds}, {variant}"

    with ThreadPoolExecutor(BUILDERS + 2) as threads:
        helpers = [threads.submit(turmoil.keep, store), threads.submit(turmoil.kill, yard)]
        try:
            list(threads.map(builder, range(BUILDERS)))
        finally:
            turmoil.done.set()
        for helper in helpers:
            helper.result()
    assert turmoil.disturbs(), turmoil
    lasting = turmoil.lasting
    slowest, usual = max(lasting), statistics.median(lasting)
    print(
        f"\nbuilders on one store: {BUILDERS} did {len(lasting)} builds, all right, slowest "
        f"{slowest:.1f} s of {usual:.1f} s, {sum(turmoil.pruned):,} entries pruned, "
        f"{sum(turmoil.killed):,} builds killed"
    )
    assert slowest < max(BLOCKED_SECONDS, 6 * usual)
    assert verify_store(store).damaged == ()
    yard.build(hosts[0], yard.project("last"), ())
    assert [path.name for path in (store.root / "tmp").iterdir()] == []
