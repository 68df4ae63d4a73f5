"""Many builds on one store, beside somebody who prunes and verifies it, and kills (threats C4)."""

import contextlib
import hashlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.build_world import make_wheels, write_project
from support.disk_faults import fast_folder
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
VARIANTS: tuple[tuple[str, ...], ...] = ((), ("--release",), ("--arch", "arm64"), ("--slim", "off"))


class Yard:
    """A store, an index and as many copies of a project as there are builders."""

    def __init__(self, folder: Path, index_url: str) -> None:
        self.folder = folder
        self.index_url = index_url
        self.lpack = LpackRunner(home=folder / "home")

    def project(self, name: str) -> Path:
        project = self.folder / name
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        write_project(project)
        return project

    def start(self, project: Path, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "packager", "build", "--index-url", self.index_url]
        return subprocess.Popen(
            [*command, *arguments], cwd=project, env=self.lpack.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def build(self, project: Path, arguments: tuple[str, ...]) -> tuple[str, str]:
        """Build to the end; returns the outputs' digests."""
        process = self.start(project, arguments)
        try:
            _, stderr = process.communicate(timeout=DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            _, stderr = process.communicate()
            raise AssertionError(f"{arguments} was blocked: {stderr}") from None
        assert process.returncode == 0, f"{arguments}: {process.returncode}\n{stderr}"
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
        with IndexServer(make_wheels(folder / "wheels")) as index:
            yield Yard(folder, index.url)


def test_builders_on_one_store_with_prune_and_kills(yard: Yard) -> None:
    golden = {each: yard.build(yard.project("first"), each) for each in VARIANTS}
    shutil.rmtree(yard.lpack.store)
    store = Store(yard.lpack.store / "v1")
    done = threading.Event()
    pruned: list[int] = []

    def keeper() -> None:
        """Prunes all of it again and again, and looks at what is left."""
        chance = random.Random(1)  # noqa: S311 -- no secret
        while not done.wait(chance.uniform(0.1, 1.0)):
            limit = chance.choice((0, 4000, 20_000))
            pruned.append(len(prune_store(store, keep_bytes=limit, spare_seconds=1.0)))
            assert verify_store(store).damaged == ()

    def killer() -> None:
        """Starts builds that it kills."""
        chance = random.Random(2)  # noqa: S311 -- no secret
        project = yard.project("killed")
        while not done.is_set():
            process = yard.start(project, chance.choice(VARIANTS))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.2, 1.5))
            process.kill()
            process.communicate()

    def builder(number: int) -> list[float]:
        chance = random.Random(10 + number)  # noqa: S311 -- no secret
        took = []
        for turn in range(BUILDS):
            project = yard.project(f"builder{number}")
            variant = chance.choice(VARIANTS)
            began = time.monotonic()
            found = yard.build(project, variant)
            took.append(time.monotonic() - began)
            assert found == golden[variant], f"builder {number}, turn {turn}, {variant}"
        return took

    with ThreadPoolExecutor(BUILDERS + 2) as threads:
        helpers = [threads.submit(keeper), threads.submit(killer)]
        try:
            took = [each for some in threads.map(builder, range(BUILDERS)) for each in some]
        finally:
            done.set()
        for helper in helpers:
            helper.result()
    assert sum(pruned) > 50, pruned
    slowest, usual = max(took), statistics.median(took)
    print(f"{len(took)} builds, slowest {slowest:.1f} s of {usual:.1f} s, {sum(pruned)} pruned")
    assert slowest < max(BLOCKED_SECONDS, 6 * usual)
    assert verify_store(store).damaged == ()
    yard.build(yard.project("last"), ())
    left = [path.name for path in (store.root / "tmp").iterdir()]
    assert left == []
