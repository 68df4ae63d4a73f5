"""A runtime folder with AWS's real client, once for the run."""

import os
from pathlib import Path

import pytest
from support import sandbox_world
from support.fixture_wheels import MissingWheelsError, wheels_for


@pytest.fixture(scope="session")
def wheels() -> list[Path]:
    """The fixture wheels of the target; without them the test is skipped, on CI it fails."""
    sandbox_world.interpreter()
    try:
        return wheels_for(sandbox_world.TARGET)
    except MissingWheelsError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def runtime(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime client, installed."""
    folder = tmp_path_factory.mktemp("runtime") / "client"
    return sandbox_world.make_runtime(wheels, folder, sdk=False)


@pytest.fixture(scope="session")
def runtime_with_sdk(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime client and the SDK, installed."""
    folder = tmp_path_factory.mktemp("runtime") / "sdk"
    return sandbox_world.make_runtime(wheels, folder, sdk=True)
