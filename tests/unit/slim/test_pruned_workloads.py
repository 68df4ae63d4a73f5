"""The five workloads with their files pruned: they import, do their work, and name themselves."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from conftest import real_wheels
from support.fixture_wheels import (
    CHECKOUT,
    TARGETS,
    WORKLOADS,
    wheels_for,
    workload_requirements,
)
from support.prune_guard import DECLARED, EVERYTHING, PrunedWheel, prune

from packager.model.prune import SlimSettings
from packager.model.record import RecordEntry, render_record

EXERCISES = CHECKOUT / "tests/cases/prune/exercises"
HERE = "python3.11-x86_64"
INERT = SlimSettings()
# load_iris is among the exercises; everything else that has to be named is tried.
NAMED = SlimSettings(
    tier="declared",
    rules=tuple(each for each in EVERYTHING.rules if each != "sklearn-sample-data"),
    services={"botocore": ("s3", "dynamodb")},
)
Found = tuple[str, int, int, list[str], list[str]]
METADATA = """
import importlib.metadata as m, json, sys
found = {}
for each in m.distributions(path=[sys.argv[1]]):
    files = each.files
    missing = [str(f) for f in files if not f.locate().exists()]
    size = [str(f) for f in files if f.size is not None and f.locate().stat().st_size != f.size]
    entries = [[e.group, e.name, e.value] for e in each.entry_points]
    found[each.metadata["Name"]] = [each.version, len(entries), len(files), missing, size]
print(json.dumps(found))
"""


def pruned(target: str, workload: str, settings: SlimSettings) -> list[PrunedWheel]:
    real_wheels(target)
    paths = wheels_for(target, requirements=workload_requirements(workload, target))
    return [prune(path, settings, python=TARGETS[target].python) for path in paths]


def unpack(pruned_wheels: Sequence[PrunedWheel], folder: Path) -> None:
    """Write what stays, with the RECORD of what stays, as a payload has it."""
    for each in pruned_wheels:
        own = f"{each.wheel.dist_info}/RECORD"
        with zipfile.ZipFile(each.path) as archive:
            for name, member in each.kept:
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member.name) as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
        entries = {
            name: RecordEntry("", None)
            if name == own
            else RecordEntry(each.wheel.record[member.name], member.uncompressed_bytes)
            for name, member in each.kept
        }
        (folder / own).write_bytes(render_record(entries))


def run(code: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with nothing of this environment but the unpacked files."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": "", "HOME": str(home), "PYTHONPATH": str(folder / "task")}
    command = [sys.executable, "-S", "-B", "-W", "ignore", *code]
    return subprocess.run(
        command, env=environment, cwd=home, capture_output=True, text=True, check=False
    )


@pytest.mark.index
@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the wheels are for Python 3.11")
@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are for Linux")
@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize(
    "settings", [INERT, DECLARED, NAMED], ids=["inert", "declared", "named-and-services"]
)
def test_the_work_is_done(workload: str, settings: SlimSettings, tmp_path: Path) -> None:
    wheels = pruned(HERE, workload, settings)
    task = tmp_path / "task"
    unpack(wheels, task)
    handler = workload_requirements(workload, HERE).with_name("handler.py")
    shutil.copy(handler, task / "handler.py")
    shutil.copy(EXERCISES / f"{workload}.py", task / "exercise.py")
    done = run([str(task / "exercise.py")], tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(run(["-c", METADATA, str(task)], tmp_path).stdout)
    assert_metadata(found, wheels)
    shutil.rmtree(task)


def assert_metadata(found: Mapping[str, Found], wheels: Sequence[PrunedWheel]) -> None:
    for each in wheels:
        version, entries, files, missing, wrong = found[str(each.wheel.metadata.name)]
        assert version == str(each.wheel.version)
        assert entries == entry_points_of(each)
        assert files == len(each.kept)
        assert (missing, wrong) == ([], []), each.wheel.name
    assert len(found) == len(wheels)


def entry_points_of(each: PrunedWheel) -> int:
    with zipfile.ZipFile(each.path) as archive:
        name = f"{each.wheel.dist_info}/entry_points.txt"
        if name not in archive.namelist():
            return 0
        lines = archive.read(name).decode().splitlines()
    return sum("=" in line and not line.startswith(("#", ";")) for line in lines)


@pytest.mark.index
@pytest.mark.parametrize("target", TARGETS)
def test_no_native_library_licence_or_metadata_goes_by_default(target: str) -> None:
    for path in real_wheels(target):
        for dropped in prune(path, INERT, python=TARGETS[target].python).dropped:
            name = dropped.path.rsplit("/", 1)[-1]
            assert dropped.tier == "inert"
            assert not name.endswith(".so"), dropped
            assert ".so." not in name, dropped
            assert not name.upper().startswith(("LICEN", "COPYING", "NOTICE")), dropped
            assert name not in {"METADATA", "RECORD", "WHEEL", "entry_points.txt"}


@pytest.mark.index
def test_every_workload_has_less_to_carry() -> None:
    """Floors, in bytes: a rule that silently stops working is noticed."""
    floors = {"W1": 350_000, "W2": 8_900_000, "W3": 4_500_000, "W4": 1_900_000, "W5": 100_000}
    for workload, floor in floors.items():
        tiers: Counter[str] = Counter()
        for each in pruned(HERE, workload, DECLARED):
            for dropped in each.dropped:
                tiers[dropped.tier] += dropped.uncompressed_bytes
        assert tiers["inert"] >= floor, workload
        assert tiers["declared"] > 0, workload
