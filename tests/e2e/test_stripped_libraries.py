"""Real libraries, stripped: they save what GNU strip saves, load, and still compute."""

import json
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.elf_image import assert_loads_alike
from support.fixture_wheels import WORKLOADS, MissingWheelsError, wheels_for, workload_requirements

from packager.slim.elf_proof import check_stripped
from packager.slim.elf_strip import Stripped, strip_elf

CASES = Path(__file__).parents[1] / "cases" / "strip"
HOST_TARGET = "python3.11-x86_64"
CROSS_TARGET = "python3.13-arm64"
# A process of this interpreter can load what was built for it.
runs_here = pytest.mark.skipif(
    (sys.platform, platform.machine(), sys.version_info[:2]) != ("linux", "x86_64", (3, 11)),
    reason=f"the libraries are for {HOST_TARGET}",
)
pytestmark = [pytest.mark.index, pytest.mark.slow]

# Saved bytes of uncompressed files, in MB. On x86_64 GNU strip saves 3.48, 37.1, 13.03, 7.67 and
# 11.4, where it breaks nothing. It takes 0.13 MB more out of W5 by cutting the ends off loaded
# segments that patchelf has left without use, which lpack never does.
LEAST_SAVED = {
    HOST_TARGET: {"W1": 3.48, "W2": 38.0, "W3": 14.3, "W4": 7.88, "W5": 11.26},
    CROSS_TARGET: {"W1": 3.88, "W2": 42.5, "W3": 13.8, "W4": 8.15, "W5": 11.7},
}


def wheels_of(target: str, workload: str) -> list[Path]:
    try:
        return wheels_for(target, requirements=workload_requirements(workload, target))
    except MissingWheelsError as error:
        pytest.skip(str(error))


def files_of(wheel: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield info.filename, archive.read(info)


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("target", LEAST_SAVED)
def test_every_library_keeps_what_is_loaded(target: str, workload: str) -> None:
    saved_bytes = 0
    for wheel in wheels_of(target, workload):
        for name, data in files_of(wheel):
            if not data.startswith(b"\x7fELF"):
                continue
            result = strip_elf(data)
            if isinstance(result, Stripped):
                saved_bytes += result.removed_bytes
                assert_loads_alike(data, result.data)
                assert check_stripped(data, result.data) == []
            else:
                assert result.reason in {
                    "it has nothing to strip",
                    "stripping it is not worth a change",
                }, name
    assert saved_bytes / 1e6 >= LEAST_SAVED[target][workload]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The same wheels unpacked as they are and with stripped libraries."""

    before: Path
    after: Path
    stripped: set[str]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("stripped")
    found = Pair(before=folder / "before", after=folder / "after", stripped=set())
    wheels = {wheel for workload in WORKLOADS for wheel in wheels_of(HOST_TARGET, workload)}
    for wheel in sorted(wheels):
        for name, data in files_of(wheel):
            result = strip_elf(data)
            now = result.data if isinstance(result, Stripped) else data
            if now is not data:
                found.stripped.add(name)
            for root, content in ((found.before, data), (found.after, now)):
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return found


def answers(script: str, folder: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-I", "-B", str(CASES / script), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout)
    return found


@runs_here
def test_stripped_libraries_compute_as_before(pair: Pair) -> None:
    before, after = (answers("exercise.py", root) for root in (pair.before, pair.after))
    assert after == before
    assert None not in after.values()
    assert len(after) == 11


@runs_here
def test_the_loader_opens_a_stripped_library_when_it_opens_the_original(pair: Pair) -> None:
    before, after = (answers("open_all.py", root) for root in (pair.before, pair.after))
    assert after == before
    assert pair.stripped <= set(after)
    # The rest are extension modules whose siblings have to be imported before them.
    opened = [name for name, answer in after.items() if answer == "opened"]
    assert len(opened) > 0.9 * len(after)
