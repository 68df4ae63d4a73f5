"""Fixtures for tests that run whole builds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.build_world import BuildWorld, make_wheels, write_project
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner


@pytest.fixture(scope="session")
def build_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    """An index of the small wheels, for the whole run."""
    with IndexServer(make_wheels(tmp_path_factory.mktemp("small-wheels"))) as index:
        yield index


@pytest.fixture
def world(tmp_path: Path, build_index: IndexServer, shared_lpack: LpackRunner) -> BuildWorld:
    """A project of its own over the store of the whole run."""
    write_project(tmp_path / "project")
    return BuildWorld(project=tmp_path / "project", index_url=build_index.url, lpack=shared_lpack)


@pytest.fixture
def lone_world(tmp_path: Path, build_index: IndexServer, lpack: LpackRunner) -> BuildWorld:
    """A project and a store of its own, for tests that damage the store."""
    write_project(tmp_path / "project")
    return BuildWorld(project=tmp_path / "project", index_url=build_index.url, lpack=lpack)
