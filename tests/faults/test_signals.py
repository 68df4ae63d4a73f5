"""Builds that are interrupted, ended or left without memory: threats §2c, C6."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.build_world import make_wheels, write_project
from support.index_files import Fault
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner

from packager.wheels.store import Store
from packager.wheels.store_keeping import verify_store

SLOW = "alpha-1.0-py3-none-any.whl"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and limits are Linux's")
# The limit is set when everything is loaded: what matters is what lpack does, not the interpreter.
SCARCE = """
import resource, sys
from packager.cli import build, main
from packager.pipeline import dependencies, locking, making
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + int(sys.argv.pop(1)) * 1024
resource.setrlimit(resource.RLIMIT_AS, (most, most))
sys.argv[0] = "lpack"
sys.exit(main.run(sys.argv[1:]))
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[IndexServer]:
    fault = Fault(delay=4.0, times=1)
    with IndexServer(make_wheels(tmp_path / "wheels"), faults={SLOW: fault}) as server:
        yield server


@pytest.mark.parametrize("signals", [["INT", "INT"], ["TERM"], ["INT", "TERM"]], ids="-".join)
def test_a_download_that_is_ended(
    signals: list[str], index: IndexServer, lpack: LpackRunner, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    write_project(project)
    command = [sys.executable, "-m", "packager", "build", "--index-url", index.url]
    process = subprocess.Popen(
        command, cwd=project, env=lpack.environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while SLOW not in index.downloads and time.monotonic() < until:
        time.sleep(0.01)
    for name in signals:
        os.killpg(process.pid, getattr(signal, f"SIG{name}"))
        time.sleep(0.02)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode in {130, -signal.SIGTERM}
    assert process.returncode == 130 or "TERM" in signals
    assert "Traceback" not in stderr, stderr
    assert stdout == ""
    assert not (project / "dist").exists()
    again = lpack.run("build", "--index-url", index.url, cwd=project)
    assert again.exit_code == 0, again.explain()
    store = Store(lpack.store / "v1")
    assert list((store.root / "tmp").iterdir()) == []
    assert verify_store(store).damaged == ()


def test_too_little_memory_is_told(index: IndexServer, lpack: LpackRunner, tmp_path: Path) -> None:
    project = tmp_path / "project"
    write_project(project)
    endings = []
    for kib in (0, 2_000, 20_000, 4_000_000):
        done = subprocess.run(
            [sys.executable, "-c", SCARCE, str(kib), "build", "--index-url", index.url],
            cwd=project, env=lpack.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        endings.append(done.returncode)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in {0, 3}, done.stderr
        if done.returncode:
            assert done.stderr.count("error: ") == 1, done.stderr
            assert not list(project.glob("dist/*"))
    assert endings[0] == 3
    assert endings[-1] == 0
