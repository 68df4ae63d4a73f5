"""Servers that do what a script says, for whoever downloads."""

from collections.abc import Iterator

import pytest
from support.fault_server import FaultServer, serving


@pytest.fixture
def other() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(other: FaultServer) -> Iterator[FaultServer]:
    with serving(other=other) as server:
        yield server
