"""Options and fixtures of the whole suite."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from support.fixture_wheels import MissingWheelsError, wheels_for
from support.index_server import IndexServer
from support.intensity import examples
from support.lpack_runner import LpackRunner

collect_ignore = ["cases"]  # projects of the end-to-end cases, not tests

# A shell that starts something in the background lets it ignore Ctrl-C, and so would all that
# the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Properties that say nothing of it try so many examples.
USUAL = examples(50)
settings.register_profile("ci", derandomize=True, database=None, deadline=None, max_examples=USUAL)
settings.register_profile("local", database=None, deadline=None, max_examples=USUAL)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what lpack says now into tests/cases/*/expected instead of comparing",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether the golden files are written instead of compared."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def lpack(tmp_path: Path) -> LpackRunner:
    """The real command with a home and a store of its own."""
    return LpackRunner(home=tmp_path / "home")


@pytest.fixture(scope="session")
def shared_lpack(tmp_path_factory: pytest.TempPathFactory) -> LpackRunner:
    """The real command with one store for the whole run, for tests with heavy wheels."""
    return LpackRunner(home=tmp_path_factory.mktemp("shared-home"))


@pytest.fixture(scope="session")
def real_index() -> Iterator[Callable[[str], IndexServer]]:
    """A function from a target (`python3.11-x86_64`) to an index of its real wheels.

    Without the wheels and without a network the test is skipped, on CI it fails.
    """
    running: dict[str, IndexServer] = {}
    with ExitStack() as stack:

        def index_of(target: str) -> IndexServer:
            if target not in running:
                running[target] = stack.enter_context(IndexServer(real_wheels(target)))
            return running[target]

        yield index_of


@pytest.fixture(scope="session")
def real_wheels_of() -> Callable[[str], list[Path]]:
    """A function from a target to the paths of its real wheels; skips as `real_index` does."""
    return real_wheels


def real_wheels(target: str) -> list[Path]:
    """The fixture wheels of `target`; skips the test without them, on CI fails it."""
    try:
        return wheels_for(target)
    except MissingWheelsError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
