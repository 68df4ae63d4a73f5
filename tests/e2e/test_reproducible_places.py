"""One project, built in many places: every file of dist has the same bytes.

In every run a few places in which each level occurs; with the slow tests any two levels meet; with
`make torture` a hundred places of the whole product. Levels that a machine does not have are told.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import forms_world
from support.index_server import IndexServer
from support.intensity import times
from support.lpack_runner import LpackRunner
from support.places import (
    FACTORS,
    pairwise,
    possible,
    prepare,
    random_places,
    shown,
    started,
    why_impossible,
)

FEW = ("plain", "layered", "fetched", "image")
PLAIN = {name: levels[0] for name, levels in FACTORS.items()}


def every_level() -> list[dict[str, str]]:
    """As few places as it takes for each level to occur."""
    count = max(map(len, FACTORS.values()))
    return [
        {name: levels[number % len(levels)] for name, levels in FACTORS.items()}
        for number in range(1, count)
    ]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    folder = tmp_path_factory.mktemp("wheels")
    forms_world.make_wheels(folder)
    with IndexServer([folder]) as server:
        yield server


@pytest.fixture(scope="module")
def reference(index: IndexServer) -> dict[str, str]:
    return built(PLAIN, index)


@pytest.fixture(scope="module")
def few(index: IndexServer) -> dict[str, str]:
    return built(PLAIN, index, *FEW)


def built(place: dict[str, str], index: IndexServer, *functions: str) -> dict[str, str]:
    """Build the forms in `place`, with a store of its own; the digest of each file of dist."""
    # pytest's own folders are closed to other users.
    root = Path(tempfile.mkdtemp(prefix="lpack-place-"))
    try:
        project = forms_world.write_project(root / place["folder"])
        home = root / "home"
        home.mkdir()
        root.chmod(0o755)
        prepare(root, place)
        how = started(place)
        done = subprocess.run(
            [
                *how.prefix,
                how.python,
                "-m",
                "packager",
                "build",
                "--index-url",
                index.url,
                *functions,
            ],
            cwd=project,
            env=LpackRunner(home=home).environment(how.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            umask=how.umask,
            user=how.user,
            timeout=600,
        )
        assert done.returncode == 0, f"{shown(place)}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return {
            path.relative_to(project).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((project / "dist").rglob("*"))
            if path.is_file()
        }
    finally:
        shutil.rmtree(root)


def of_this_machine(place: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Replace the levels that cannot be had here; returns why, too."""
    reasons = {name: why_impossible(name, level) for name, level in place.items()}
    had = {name: FACTORS[name][0] if reasons[name] else level for name, level in place.items()}
    return had, [reason for reason in reasons.values() if reason]


@pytest.mark.parametrize("place", every_level(), ids=shown)
def test_every_level(place: dict[str, str], index: IndexServer, few: dict[str, str]) -> None:
    had, reasons = of_this_machine(place)
    assert len(few) > 15
    assert built(had, index, *FEW) == few, shown(had)
    if reasons and had == PLAIN:
        pytest.skip("; ".join(reasons))


@pytest.mark.slow
def test_any_two_levels(index: IndexServer, reference: dict[str, str]) -> None:
    places = pairwise(possible())
    for place in places:
        assert built(place, index) == reference, shown(place)
    absent = {
        reason
        for name, levels in FACTORS.items()
        for level in levels
        if (reason := why_impossible(name, level))
    }
    print(f"\n{len(places)} places; not here: {'; '.join(sorted(absent)) or 'nothing'}")


@pytest.mark.slow
def test_places_of_the_whole_product(index: IndexServer, reference: dict[str, str]) -> None:
    count = times(5, 100)
    for place in random_places(count, seed=int.from_bytes(os.urandom(4), "big")):
        assert built(place, index) == reference, shown(place)
    print(f"\n{count} places of the whole product")
