"""Two clean builds anywhere give the same bytes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.build_world import BuildWorld, make_wheels, write_project
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.readers import assert_readers_agree


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    with IndexServer(make_wheels(tmp_path_factory.mktemp("wheels"))) as server:
        yield server


def clean_build(folder: Path, index: IndexServer, env: dict[str, str], umask: int) -> BuildWorld:
    write_project(folder / "project")
    world = BuildWorld(
        project=folder / "project", index_url=index.url, lpack=LpackRunner(home=folder / "home")
    )
    done = world.run(env=env, umask=umask)
    assert done.exit_code == 0, done.explain()
    return world


@pytest.fixture(scope="module")
def reference(index: IndexServer, tmp_path_factory: pytest.TempPathFactory) -> BuildWorld:
    return clean_build(tmp_path_factory.mktemp("reference"), index, {}, 0o022)


def test_every_reader_agrees(reference: BuildWorld) -> None:
    assert_readers_agree(reference.zip)


def test_the_date_is_part_of_the_input(
    index: IndexServer, reference: BuildWorld, tmp_path: Path
) -> None:
    digests = set()
    for place in ("one", "two"):
        env = {"SOURCE_DATE_EPOCH": "1700000000", "TZ": "Asia/Tokyo" if place == "one" else "UTC"}
        world = clean_build(tmp_path / place, index, env, 0o022)
        digests.add(hashlib.sha256(world.zip.read_bytes()).hexdigest())
    assert len(digests) == 1
    assert digests != {hashlib.sha256(reference.zip.read_bytes()).hexdigest()}


@pytest.mark.parametrize("value", ["soon", "1.5", "9" * 5000])
def test_a_date_that_is_none(value: str, index: IndexServer, tmp_path: Path) -> None:
    write_project(tmp_path / "project")
    world = BuildWorld(
        project=tmp_path / "project", index_url=index.url, lpack=LpackRunner(home=tmp_path / "home")
    )
    done = world.run(env={"SOURCE_DATE_EPOCH": value})
    assert done.exit_code == 2, done.explain()
    assert "SOURCE_DATE_EPOCH" in done.stderr
    assert "Traceback" not in done.stderr
    assert not world.zip.exists()


def test_an_earlier_build_does_not_show(index: IndexServer, tmp_path: Path) -> None:
    """The folder of the code is that of the output, as in projects without any settings."""
    world = BuildWorld(
        project=tmp_path / "api", index_url=index.url, lpack=LpackRunner(home=tmp_path / "home")
    )
    world.write("lambda_function.py", "def lambda_handler(event, context):\n    return 1\n")
    world.write("requirements.txt", "beta\n")
    world.build()
    first = world.zip.read_bytes(), world.manifest_path.read_bytes()
    world.build("--upgrade")
    assert (world.zip.read_bytes(), world.manifest_path.read_bytes()) == first
    world.build("--check")
