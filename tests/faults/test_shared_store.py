"""Builds with a shared store that fails: never a wrong byte, never an error, one line about it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.faulty_store import READING, FaultyStore, Script, faulty_store
from support.index_server import IndexServer
from support.shared_world import Machine, make_wheels

SECRET = "s3cr3t-pass"  # noqa: S105 -- of a server that lives for one test

FAULTS: dict[str, tuple[dict[str, Script], str]] = {
    "gone": ({}, "is not used further: Connection refused"),
    "altered bytes": ({"GET /cas": READING["altered"]}, "has a wrong value, not used: `"),
    "read only": ({"PUT ": lambda e: e.say(403)}, "nothing can be added (it answers 403)"),
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def index(wheels: list[Path]) -> Iterator[IndexServer]:
    with IndexServer(wheels) as server:
        yield server


@pytest.fixture(scope="module")
def honest(
    tmp_path_factory: pytest.TempPathFactory, index: IndexServer, wheels: list[Path]
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """What is built, and what a build adds to an honest store."""
    with faulty_store() as store:
        first = machine(tmp_path_factory.mktemp("first"), index, wheels, store.url)
        done = first.build()
        assert done.exit_code == 0, done.explain()
        return first.outputs(), store.values


@pytest.fixture
def store(honest: tuple[dict[str, bytes], dict[str, bytes]]) -> Iterator[FaultyStore]:
    with faulty_store() as server:
        server.values = dict(honest[1])
        yield server


def machine(folder: Path, index: IndexServer, wheels: list[Path], url: str) -> Machine:
    with_password = url.replace("://", f"://builder:{SECRET}@")
    made = Machine(
        folder=folder / "machine", index=index, environment={"LPACK_SHARED_STORE": with_password}
    )
    made.check_out(wheels)
    return made


@pytest.mark.parametrize("name", FAULTS)
def test_a_build_goes_on(
    tmp_path: Path,
    index: IndexServer,
    wheels: list[Path],
    store: FaultyStore,
    honest: tuple[dict[str, bytes], dict[str, bytes]],
    name: str,
) -> None:
    store.faults, told = FAULTS[name]
    if name == "read only":
        store.values.clear()
    url = store.url if name != "gone" else "http://127.0.0.1:9"
    one = machine(tmp_path, index, wheels, url)
    done = one.build()
    assert done.exit_code == 0, done.explain()
    assert one.outputs() == honest[0]
    assert told in done.stderr, done.explain()
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
    kept = [path for path in one.folder.rglob("*") if path.is_file()]
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []
    # What was wrong there is right again.
    if name != "read only":
        assert store.values == honest[1]


def test_documents_of_somebody_else_stop_nothing(
    tmp_path: Path,
    index: IndexServer,
    wheels: list[Path],
    store: FaultyStore,
    honest: tuple[dict[str, bytes], dict[str, bytes]],
) -> None:
    # Every document is another one's: the digests fit their bytes and not their places.
    documents = sorted(path for path in store.values if path.startswith("/ac/"))
    moved = [*documents[1:], documents[0]]
    store.values |= {a: honest[1][b] for a, b in zip(documents, moved, strict=True)}
    one = machine(tmp_path, index, wheels, store.url)
    done = one.build()
    assert done.exit_code == 0, done.explain()
    assert one.outputs() == honest[0]
    assert store.values == honest[1]


@pytest.mark.slow  # waits as long as a person would
def test_a_store_that_hangs_costs_seconds_once(
    tmp_path: Path,
    index: IndexServer,
    wheels: list[Path],
    store: FaultyStore,
    honest: tuple[dict[str, bytes], dict[str, bytes]],
) -> None:
    one = machine(tmp_path / "warm", index, wheels, store.url)
    alone = Machine(folder=tmp_path / "alone", index=index)
    alone.check_out(wheels)
    began = time.monotonic()
    assert alone.build().exit_code == 0
    usual = time.monotonic() - began
    store.faults = {"": READING["silence"]}
    before = len(store.requests)
    began = time.monotonic()
    done = one.build()
    assert done.exit_code == 0, done.explain()
    assert time.monotonic() - began < usual * 4 + 20
    # Nobody is asked again: what was on its way then is all.
    assert 0 < len(store.requests) - before <= 8
    assert "is not used further" in done.stderr
    assert one.outputs() == honest[0]
