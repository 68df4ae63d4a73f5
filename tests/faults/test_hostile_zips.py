"""Hostile and ambiguous wheels: refused, or read alike by everybody, quickly and in little memory.

Threats §2a. The verdicts that are written down stand in `tests/unit/wheels/test_admission.py`;
here are the grids without one, and the limits for all of them.
"""

import subprocess
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from support.ambiguous_zips import KINDS, ambiguous_zips
from support.demo_wheel import Shape
from support.hostile_ends import refused_ends
from support.hostile_wheels import refused_wheels
from support.hostile_zips import refused_zips
from support.intensity import times
from support.odd_zips import accepted
from support.readers import READERS, ReaderFailedError, available_readers

from packager.errors import WheelRefused
from packager.model.wheel import AdmittedWheel
from packager.wheels.admission import admit

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
        wheel = judged(path, shape)
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


def test_readers_read_alike_what_is_admitted(tmp_path: Path) -> None:
    """A reader may refuse what admission takes; none may read something else."""
    names = [name for name in available_readers() if not name.startswith("java")]
    names += [name for name in available_readers() if name.startswith("java")]
    path = tmp_path / "x.zip"
    compared: Counter[str] = Counter()
    for number, shape in enumerate(list(odd_but_admitted(path))):
        path.write_bytes(shape.data)
        wanted = READERS["python"](path)
        for name in names:
            # A Java machine starts slowly. libarchive takes normal forms for one name.
            slow = name.startswith("java") and number % times(8, 1)
            if slow or (name == "bsdtar" and "normal form" in shape.name):
                continue
            try:
                found = READERS[name](path)
            except ReaderFailedError:
                continue
            compared[name] += 1
            assert {m: digest for m, (digest, _) in found.items()} == {
                m: digest for m, (digest, _) in wanted.items()
            }, f"{name} reads {shape.name} in another way"
    assert all(compared[name] for name in names), compared


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
    shapes = chain(refused_zips(), refused_ends(), refused_wheels(), accepted())
    count = 0
    for count, shape in enumerate(shapes, 1):
        (tmp_path / f"{count:04}").write_bytes(shape.data)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)], check=True, capture_output=True, text=True
    )
    seconds, slowest, peak_bytes = done.stdout.split()
    assert count > 200
    assert float(seconds) < MOST_SECONDS, slowest
    assert int(peak_bytes) < MOST_BYTES
