"""Resolvers that see nothing of the machine's own configuration, and a small package index."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.index_server import IndexServer
from support.lock_world import PASSWORD, USER, Locker, build_world


@pytest.fixture(autouse=True)
def _own_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "LPACK_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "uv-cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-config"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels and sdists that hold every shape the tests ask for."""
    return build_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def index(world: Path) -> Iterator[IndexServer]:
    """The world behind a password."""
    with IndexServer([world], auth=(USER, PASSWORD)) as server:
        yield server


@pytest.fixture
def locker(index: IndexServer, tmp_path: Path) -> Locker:
    """A locker on the index with the password."""
    return Locker(index, tmp_path)
