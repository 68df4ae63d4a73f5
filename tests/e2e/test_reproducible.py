"""Two clean builds anywhere give the same bytes."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.build_world import BuildWorld, make_wheels, write_project
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.readers import assert_readers_agree

ANOTHER_ENCODER = """
import zlib

__version__ = "99.0"


def deflate_compress(data, level=6):
    maker = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return bytearray(maker.compress(bytes(data)) + maker.flush())
"""


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


def test_another_encoder_is_another_input(
    index: IndexServer, reference: BuildWorld, tmp_path: Path
) -> None:
    """Its version is in the manifest and in the key of every payload it had a part in."""
    world = clean_build(tmp_path, index, {}, 0o022)
    mine = world.zip.read_bytes()
    payloads = {path.name for path in world.lpack.store.glob("v1/payloads/*/*.zip")}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "deflate.py").write_text(ANOTHER_ENCODER)
    path = os.pathsep.join((str(tmp_path / "other"), str(CHECKOUT)))
    world.build(env={"PYTHONPATH": path})
    assert world.manifest["artifact"]["encoders"] == ["libdeflate of deflate 99.0, level 9"]
    assert world.zip.read_bytes() != mine
    more = {path.name for path in world.lpack.store.glob("v1/payloads/*/*.zip")} - payloads
    assert len(more) == len(payloads)
    world.build()
    assert world.zip.read_bytes() == mine == reference.zip.read_bytes()
    assert world.manifest_path.read_bytes() == reference.manifest_path.read_bytes()


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
