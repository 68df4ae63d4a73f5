"""Servers that do what a script says, and projects and hosts whose file operations fail."""

from collections.abc import Iterator

import pytest
from support.crash_world import CrashWorld, crash_world
from support.disk_faults import FaultyHost
from support.fault_server import FaultServer, serving


@pytest.fixture
def other() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(other: FaultServer) -> Iterator[FaultServer]:
    with serving(other=other) as server:
        yield server


@pytest.fixture(scope="module")
def world() -> Iterator[CrashWorld]:
    with crash_world() as made:
        yield made


@pytest.fixture(scope="module")
def hosts(world: CrashWorld) -> Iterator[list[FaultyHost]]:
    with FaultyHost(world.environment()) as one, FaultyHost(world.environment()) as two:
        yield [one, two]
