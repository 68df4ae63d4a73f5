"""Hostile and ambiguous wheels: refused, or read alike by everybody, quickly and in little memory.

Threats §2a. The verdicts that are written down stand in `tests/unit/wheels/test_admission.py`;
here are the grids without one, and the limits for all of them.
"""

import subprocess
import sys
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import pytest
from support.ambiguous_zips import KINDS, ambiguous_zips
from support.demo_wheel import Shape
from support.hostile_ends import refused_ends
from support.hostile_wheels import refused_wheels
from support.hostile_zips import refused_zips
from support.intensity import times
from support.odd_zips import accepted
from support.readers import (
    MORE_READERS,
    READERS,
    ReaderFailedError,
    Seen,
    read_all,
    why_missing,
)

from packager.errors import WheelRefused
from packager.model.wheel import AdmittedWheel
from packager.wheels.admission import admit

WANTED_READERS = 7
FEWEST_READERS = 3
"""Of one admitted shape, zipfile among them: the others may refuse what they do not know."""
MOST_SECONDS = 2.0
MOST_BYTES = 128 * 2**20


def judged(path: Path, shape: Shape) -> AdmittedWheel | None:
    """Write the wheel and admit it; None when it is refused."""
    path.write_bytes(shape.data)
    try:
        return admit(path, sha256="0" * 64, filename=shape.filename)
    except WheelRefused:
        return None


def assert_zipfile_agrees(path: Path, wheel: AdmittedWheel, shape: Shape) -> None:
    with zipfile.ZipFile(path) as archive:
        names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
        assert [member.name for member in wheel.members] == names, shape.name
        for member in wheel.members:
            stream = shape.data[member.data_offset :][: member.compressed_bytes]
            plain = zlib.decompress(stream, -15) if member.method else stream
            assert plain == archive.read(member.name), shape.name
            assert zlib.crc32(plain) == member.crc32, shape.name


def test_every_ambiguous_shape_is_refused_or_read_as_zipfile_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    total: Counter[str] = Counter()
    admitted: Counter[str] = Counter()
    for shape in ambiguous_zips():
        kind = shape.name[:2]
        total[kind] += 1
        began = time.process_time()
        wheel = judged(path, shape)
        assert time.process_time() - began < MOST_SECONDS, shape.name
        if wheel is not None:
            admitted[kind] += 1
            assert_zipfile_agrees(path, wheel, shape)
    assert total.total() >= 1500
    assert set(total) == set(KINDS)
    assert all(count >= 30 for count in total.values()), total
    # A grid of which everything is refused may be refused for another reason than it is for.
    assert admitted.total() > 150, admitted


def odd_but_admitted(path: Path) -> Iterator[Shape]:
    """Shapes that admission takes, the same in every run: as many as one run has time for."""
    sound = [shape for shape in ambiguous_zips() if judged(path, shape) is not None]
    count = times(15, len(sound))
    yield from sound[:: max(1, len(sound) // count)]
    yield from list(accepted())[:: times(2, 1)]


def read_each(reader: str, paths: Sequence[Path]) -> list[Seen | None]:
    """Read many zips with as few starts of the program as refusals allow; None for those."""
    try:
        return list(read_all(reader, paths))
    except ReaderFailedError:
        if len(paths) == 1:
            return [None]
    middle = len(paths) // 2
    return read_each(reader, paths[:middle]) + read_each(reader, paths[middle:])


def test_readers_read_alike_what_is_admitted(tmp_path: Path) -> None:
    """A reader may refuse what admission takes; none may read something else."""
    shapes = list(odd_but_admitted(tmp_path / "x.whl"))
    paths = [tmp_path / f"{number}.zip" for number in range(len(shapes))]
    for path, shape in zip(paths, shapes, strict=True):
        path.write_bytes(shape.data)
    names = [name for name in (*READERS, *MORE_READERS) if why_missing(name) is None]
    seen = {name: read_each(name, paths) for name in names}
    compared: Counter[str] = Counter()
    for number, shape in enumerate(shapes):
        wanted = seen["python"][number]
        assert wanted is not None, shape.name
        for name in names:
            found = seen[name][number]
            # libarchive takes normal forms for one name.
            if found is None or (name == "bsdtar" and "normal form" in shape.name):
                continue
            compared[name] += 1
            assert {m: digest for m, (digest, _) in found.items()} == {
                m: digest for m, (digest, _) in wanted.items()
            }, f"{name} reads {shape.name} in another way"
        readers = sum(seen[name][number] is not None for name in names)
        assert readers >= min(FEWEST_READERS, len(names)), f"hardly anybody reads {shape.name}"
    assert all(compared[name] > len(shapes) // 2 for name in names), compared
    if len(names) < WANTED_READERS:
        pytest.skip(f"only {', '.join(names)} are here, {WANTED_READERS} are wanted")


MEASURE = """
import resource, sys, time
from pathlib import Path
from packager.errors import WheelRefused
from packager.wheels.admission import admit

def own_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

before, worst, slowest = own_bytes(), 0.0, ""
for path in sorted(Path(sys.argv[1]).iterdir()):
    began = time.process_time()
    try:
        admit(path, sha256="0" * 64, filename="demo-1.0-py3-none-any.whl")
    except WheelRefused:
        pass
    took = time.process_time() - began
    if took > worst:
        worst, slowest = took, path.name
print(worst, slowest, own_bytes() - before)
"""


def test_limits_of_time_and_memory(tmp_path: Path) -> None:
    """Bombs, overlaps, huge claims and everything else, in a process that is measured."""
    some = islice(ambiguous_zips(), 0, None, times(5, 1))
    shapes = chain(refused_zips(), refused_ends(), refused_wheels(), accepted(), some)
    count = 0
    for count, shape in enumerate(shapes, 1):
        (tmp_path / f"{count:04}").write_bytes(shape.data)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)], check=True, capture_output=True, text=True
    )
    seconds, slowest, peak_bytes = done.stdout.split()
    assert count > 700
    assert float(seconds) < MOST_SECONDS, slowest
    assert int(peak_bytes) < MOST_BYTES
