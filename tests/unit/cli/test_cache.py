"""`lpack cache`, as the real command on a store that real builds filled."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from support.build_world import BuildWorld, make_wheels, write_project
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner


@pytest.fixture
def world(tmp_path: Path, lpack: LpackRunner) -> BuildWorld:
    write_project(tmp_path / "project")
    with IndexServer(make_wheels(tmp_path / "wheels")) as index:
        world = BuildWorld(project=tmp_path / "project", index_url=index.url, lpack=lpack)
        world.build()
    return world


def cache(world: BuildWorld, *arguments: str) -> Finished:
    return world.lpack.run("cache", *arguments, cwd=world.project)


def test_a_day_in_the_life_of_a_store(world: BuildWorld) -> None:
    path = cache(world, "path").stdout.strip()
    assert Path(path) == world.lpack.store / "v1"
    size = json.loads(cache(world, "size", "--output-format", "json").stdout)
    assert size["kinds"]["wheels"]["entries"] == 6
    assert size["shared_store"] is None
    shared = {"LPACK_SHARED_STORE": "https://builder:secret@cache.example.com/lpack"}
    shown = world.lpack.run("cache", "size", cwd=world.project, env=shared).stdout
    assert "shared with other machines: https://***@cache.example.com/lpack\n" in shown
    assert re.search(rf"total +[0-9.]+ KiB +{size['entries']} entries", shown)

    done = cache(world, "verify")
    assert done.exit_code == 0, done.explain()
    assert done.stdout.startswith(f"{size['entries']} entries of {size['entries']} entries whole")

    wheel = next(world.lpack.store.glob("v1/wheels/*/*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1])
    done = cache(world, "verify")
    assert done.exit_code == 1, done.explain()
    assert "error: 1 entry of the store" in done.stderr
    assert f"wheels/{wheel.parent.name}/{wheel.name}: its bytes" in done.stderr
    assert "hint: lpack cache verify --repair" in done.stderr
    assert wheel.exists()
    done = cache(world, "verify", "--repair")
    assert done.exit_code == 0, done.explain()
    assert not wheel.exists()
    assert cache(world, "verify").exit_code == 0

    assert cache(world, "prune").stdout == "removed 0 entries, 0.0 KiB\n"
    old = time.time() - 120
    for entry in world.lpack.store.rglob("*"):
        os.utime(entry, (old, old))
    done = cache(world, "prune", "--max-size", "0")
    assert done.stdout.startswith(f"removed {size['entries'] - 1} entries, ")
    assert json.loads(cache(world, "size", "--output-format", "json").stdout)["entries"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("prune", "--older-than", "soon"), "`--older-than` is `soon`, not a length of time"),
        (("prune", "--max-size", "much"), "`--max-size` is `much`, not a size"),
        (("prune", "--max-size", "9" * 400), "99`, not a size"),
        (("verify", "--force"), "No such option"),
        (("empty",), "No such command"),
    ],
)
def test_wrong_arguments(
    tmp_path: Path, lpack: LpackRunner, arguments: tuple[str, ...], message: str
) -> None:
    done = lpack.run("cache", *arguments, cwd=tmp_path)
    assert done.exit_code == 2, done.explain()
    assert message in done.stderr
