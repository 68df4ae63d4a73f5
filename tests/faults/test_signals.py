"""Builds that are interrupted, ended or left without memory: threats §2c, C6."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from support import shared_world
from support.build_world import make_wheels, write_project
from support.faulty_store import Exchange, faulty_store
from support.image_world import write_aws_like_base
from support.index_files import Fault
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.scripted_registry import Handler, digest_of, serving_registry

from packager.wheels.store import Store
from packager.wheels.store_keeping import verify_store

SLOW = "alpha-1.0-py3-none-any.whl"
# Less than the servers here hang.
SOON_SECONDS = 20.0
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

# The system gives a signal to any thread, and to the first one also just before it begins to wait:
# then nothing interrupts that wait.
ELSEWHERE = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
def take():
    sys.stdin.readline()
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
threading.Thread(target=take, daemon=True).start()
from packager.cli.entry import main
main()
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


def ended(
    argv: list[str],
    name: str,
    begun: Callable[[], object],
    *,
    folder: Path,
    environment: dict[str, str],
) -> str:
    """Start lpack and send the signal `name` when `begun`: it ends soon; return its stderr."""
    elsewhere = name == "INT elsewhere"
    program = ["-c", ELSEWHERE] if elsewhere else ["-m", "packager"]
    process = subprocess.Popen(
        [sys.executable, *program, *argv], cwd=folder, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not begun() and time.monotonic() < until:
        time.sleep(0.01)
    assert begun(), "it never came so far"
    if not elsewhere:
        os.killpg(process.pid, getattr(signal, f"SIG{name}"))
    try:
        _, stderr = process.communicate("\n" if elsewhere else None, timeout=SOON_SECONDS)
    finally:
        process.kill()
    assert process.returncode == (-signal.SIGTERM if name == "TERM" else 130), stderr
    assert "Traceback" not in stderr, stderr
    return stderr


def test_a_push_that_is_ended(lpack: LpackRunner, tmp_path: Path) -> None:
    project = tmp_path / "project"
    write_project(project)
    write_aws_like_base(project / "base")
    with IndexServer(make_wheels(tmp_path / "wheels")) as index:
        with (project / "pyproject.toml").open("a") as file:
            file.write('[tool.lpack.image]\nbase = "./base"\n')
        argv = ["build", "--index-url", index.url, "--package-type", "image"]
        lpack.ok(*argv, cwd=project)
    with serving_registry() as registry:
        push = ["publish", "image", "api", f"{registry.host}/team/api:1"]
        ending = threading.Event()

        def hang_after_the_first(handler: Handler) -> bool:
            if handler.command == "PUT" and registry.blobs:
                ending.wait(30)
                handler.cut()
                return True
            return False

        registry.faults.append(hang_after_the_first)
        for name in ("INT", "INT elsewhere", "TERM"):
            more = registry.count("PUT") + (2 if name == "INT" else 1)
            reached = partial(lambda most: registry.count("PUT") >= most, more)
            ended(push, name, reached, folder=project, environment=lpack.environment())
            assert registry.manifests == {}
            assert all(digest_of(content) == name for name, content in registry.blobs.items())
        ending.set()
        registry.faults.clear()
        lpack.ok(*push, cwd=project)
        manifest = json.loads((project / "dist/api.lpack.json").read_text())
        assert f"sha256:{manifest['artifact']['sha256']}" in registry.manifests


def test_a_build_that_is_ended_while_it_adds_to_a_shared_store(tmp_path: Path) -> None:
    wheels = shared_world.make_wheels(tmp_path / "wheels")
    with faulty_store() as store, IndexServer(wheels) as index:
        one, other = (
            shared_world.Machine(
                folder=tmp_path / name, index=index, environment={"LPACK_SHARED_STORE": store.url}
            )
            for name in ("one", "other")
        )
        one.check_out(wheels)
        other.check_out(wheels)
        store.faults = {"PUT ": Exchange.hang}
        argv = ["build", "--runtime", "python3.13", "--index-url", index.url]
        environment = one.lpack.environment(one.environment)
        begun = partial(store.asked, "PUT ")
        said = ended(argv, "INT", begun, folder=one.project, environment=environment)
        # It did not end by itself, when it had lost its patience with the store.
        assert "not used further" not in said
        assert store.values == {}
        # What was built is whole, whoever has it.
        assert verify_store(Store(one.lpack.store / "v1")).damaged == ()
        store.faults = {}
        for machine in (one, other):
            done = machine.build()
            assert done.exit_code == 0, done.explain()
        assert one.outputs() == other.outputs()
        assert store.values
