"""A runtime folder with AWS's real client, once for the run."""

import os
from pathlib import Path

import pytest
from support import sandbox_world
from support.fixture_wheels import MissingWheelsError, wheels_for


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime client of the fixture wheels, installed."""
    sandbox_world.interpreter()
    try:
        wheels = wheels_for(sandbox_world.TARGET)
    except MissingWheelsError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    return sandbox_world.make_runtime(wheels, tmp_path_factory.mktemp("runtime") / "x", sdk=False)
