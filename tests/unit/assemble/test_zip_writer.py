import contextlib
import hashlib
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support.assembling import code_files, payload_source, payload_with, records_of, written
from support.fixture_wheels import CHECKOUT
from support.wheel_builder import build_wheel

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.open_payload import PayloadSource
from packager.assemble.reread import check_headers
from packager.assemble.zip_writer import (
    check_zip_limits,
    write_zip,
)
from packager.errors import CannotBuild
from packager.model.canonical import END, EPOCH_STAMP, stamp_of
from packager.model.project import SourceFile

NAMESPACE = {"ns/__init__.py": b"", "LICENSE": b"the same licence\n" * 30}
LATER = stamp_of(1_700_000_000)


def two_payloads(folder: Path) -> list[PayloadSource]:
    one = payload_with(
        folder, "one", {**NAMESPACE, "ns/one.py": b"A = 1\n" * 200}, executables={"ns/one.py"}
    )
    two = payload_with(folder, "two", {**NAMESPACE, "ns/two.py": os.urandom(3000)})
    return [one, two]


def contents(path: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        return {name: archive.read(name) for name in names}


@pytest.mark.parametrize("stamp", [EPOCH_STAMP, LATER])
def test_payloads_then_code_in_their_order(tmp_path: Path, stamp: int) -> None:
    payloads = two_payloads(tmp_path)
    code = code_files(
        tmp_path / "src", {"app.py": b"import ns\n", "run": b"#!"}, executables={"run"}
    )
    artifact = written(tmp_path / "a.zip", payloads, code, stamp=stamp)
    check_headers(tmp_path / "a.zip", records_of(artifact), stamp=stamp)
    assert [owned.owner for owned in artifact.contents] == ["one 1.0", "two 1.0", ""]
    assert [record.name for record in artifact.contents[2].records] == [b"app.py", b"run"]
    # What two owners share ships once, from the first.
    names = [[record.name.decode() for record in owned.records] for owned in artifact.contents]
    assert "ns/__init__.py" in names[0]
    assert "LICENSE" in names[0]
    assert not {"ns/__init__.py", "LICENSE"} & set(names[1])
    assert artifact.entries == len(contents(tmp_path / "a.zip")) == sum(map(len, names))
    assert {r.name.decode() for r in records_of(artifact) if r.executable} == {"ns/one.py", "run"}
    owned_bytes = sum(owned.compressed_bytes for owned in artifact.contents)
    assert owned_bytes + END.size == artifact.compressed_bytes
    assert artifact.uncompressed_bytes == sum(map(len, contents(tmp_path / "a.zip").values()))


def test_other_dates_change_the_dates_only(tmp_path: Path) -> None:
    payloads = two_payloads(tmp_path)
    code = code_files(tmp_path / "src", {"app.py": b"x = 1\n"})
    early = written(tmp_path / "early.zip", payloads, code)
    late = written(tmp_path / "late.zip", payloads, code, stamp=LATER)
    assert records_of(early) == records_of(late)
    assert contents(tmp_path / "early.zip") == contents(tmp_path / "late.zip")
    with zipfile.ZipFile(tmp_path / "late.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}
    differing = sum(
        a != b
        for a, b in zip(
            (tmp_path / "early.zip").read_bytes(), (tmp_path / "late.zip").read_bytes(), strict=True
        )
    )
    assert differing <= 2 * 4 * early.entries


def test_a_payload_alone_is_copied_as_it_is(tmp_path: Path) -> None:
    payload = payload_with(tmp_path, "one", {"one.py": b"A = 1\n" * 200})
    written(tmp_path / "a.zip", [payload])
    assert (tmp_path / "a.zip").read_bytes() == payload.path.read_bytes()


def test_an_empty_zip(tmp_path: Path) -> None:
    assert written(tmp_path / "a.zip", []).compressed_bytes == END.size
    assert contents(tmp_path / "a.zip") == {}


def test_umask_and_time_zone_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payloads = two_payloads(tmp_path)
    code = code_files(tmp_path / "src", {"app.py": b"x = 1\n"})
    digests = {written(tmp_path / "a.zip", payloads, code, stamp=LATER).sha256}
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    old = os.umask(0o077)
    try:
        digests.add(written(tmp_path / "b.zip", payloads, code, stamp=LATER).sha256)
    finally:
        os.umask(old)
    assert len(digests) == 1


# Damage


def flip(position: Callable[[PayloadSource], int]) -> Callable[[PayloadSource], None]:
    def damage(payload: PayloadSource) -> None:
        data = bytearray(payload.path.read_bytes())
        data[position(payload)] ^= 0x10
        payload.path.write_bytes(data)

    return damage


def rewrite(change: Callable[[bytes], bytes]) -> Callable[[PayloadSource], None]:
    def damage(payload: PayloadSource) -> None:
        payload.path.write_bytes(change(payload.path.read_bytes()))

    return damage


def become_a_folder(payload: PayloadSource) -> None:
    payload.path.unlink()
    payload.path.mkdir()


def open_files_below(folder: Path) -> list[str]:
    """What this process holds open in `folder`, deleted or not.

    Not how many files it holds in all: a worker of the tests also holds what earlier tests left
    to the garbage collector, which may run at any moment.
    """
    targets = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            targets.append(str(descriptor.readlink()))
    return [target for target in targets if target.startswith(f"{folder}/")]


DAMAGES: dict[str, Callable[[PayloadSource], None]] = {
    "first byte": flip(lambda _: 0),
    "a stream": flip(lambda payload: payload.body_bytes // 2),
    "last byte of the body": flip(lambda payload: payload.body_bytes - 1),
    "magic of the directory": flip(lambda payload: payload.body_bytes),
    "a checksum in the directory": flip(lambda payload: payload.body_bytes + 16),
    "a size in the directory": flip(lambda payload: payload.body_bytes + 20),
    "a large size in the directory": flip(lambda payload: payload.body_bytes + 23),
    "an uncompressed size": flip(lambda payload: payload.body_bytes + 27),
    "a mode": flip(lambda payload: payload.body_bytes + 40),
    "an offset": flip(lambda payload: payload.body_bytes + 42),
    "a name in the directory": flip(lambda payload: payload.body_bytes + 46),
    "the end record": flip(lambda payload: payload.file_bytes - 10),
    "cut by a byte": rewrite(lambda data: data[:-1]),
    "cut in the body": rewrite(lambda data: data[:50]),
    "empty": rewrite(lambda _: b""),
    "a byte longer": rewrite(lambda data: data + b"\0"),
    "gone": lambda payload: payload.path.unlink(),
    "a folder": become_a_folder,
}


@pytest.mark.parametrize("stamp", [EPOCH_STAMP, LATER])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_payload_is_never_written(tmp_path: Path, damage: str, stamp: int) -> None:
    payloads = two_payloads(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.zip").write_bytes(b"old")
    DAMAGES[damage](payloads[1])
    with pytest.raises(PayloadDamagedError) as caught:
        write_zip(out / "a.zip", payloads, [], stamp=stamp)
    assert caught.value.key == payloads[1].key
    assert [(path.name, path.read_bytes()) for path in out.iterdir()] == [("a.zip", b"old")]
    assert open_files_below(tmp_path) == []


@pytest.mark.parametrize("stamp", [EPOCH_STAMP, LATER])
def test_every_region_of_a_payload_is_covered(tmp_path: Path, stamp: int) -> None:
    payload = payload_with(tmp_path, "one", {"one.py": b"A = 1\n" * 20, "two.txt": b"2"})
    data = payload.path.read_bytes()
    for position in range(0, len(data), 7):
        payload.path.write_bytes(
            data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        )
        with pytest.raises(PayloadDamagedError):
            write_zip(tmp_path / "a.zip", [payload], [], stamp=stamp)


def test_another_payload_in_its_place_is_damage(tmp_path: Path) -> None:
    one, two = two_payloads(tmp_path)
    with pytest.raises(PayloadDamagedError):
        write_zip(tmp_path / "a.zip", [one._replace(path=two.path)], [], stamp=EPOCH_STAMP)


# Collisions


def test_distributions_with_different_files_of_one_name(tmp_path: Path) -> None:
    payloads = [payload_with(tmp_path, name, {"x.py": name.encode()}) for name in ("one", "two")]
    with pytest.raises(CannotBuild, match=r"one 1\.0 and two 1\.0 both ship `x\.py`"):
        write_zip(tmp_path / "a.zip", payloads, [], stamp=EPOCH_STAMP)
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize("stored", [{"one"}, {"two"}, {"one", "two"}])
def test_equal_files_that_some_payload_stores(tmp_path: Path, stored: set[str]) -> None:
    files = {"same.bin": random.Random(7).randbytes(300)}  # noqa: S311 -- the same in every run
    payloads = [
        payload_source(
            build_wheel(tmp_path, name, "1.0", files=files, compress=name not in stored),
            f"{name} 1.0",
        )
        for name in ("one", "two")
    ]
    written(tmp_path / "a.zip", payloads)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        method = archive.getinfo("same.bin").compress_type
        assert method == (zipfile.ZIP_STORED if "one" in stored else zipfile.ZIP_DEFLATED)
        assert archive.read("same.bin") == files["same.bin"]


def test_a_crafted_checksum_does_not_pass_for_equal_bytes(tmp_path: Path) -> None:
    # Both have CRC-32 0x39F3C92B and four bytes... the same length: only the bytes differ.
    one, two = b"plumless", b"buckeroo"
    import zlib  # noqa: PLC0415 -- this test alone

    assert zlib.crc32(one) == zlib.crc32(two)
    payloads = [
        payload_with(tmp_path, "one", {"x": one}),
        payload_with(tmp_path, "two", {"x": two}),
    ]
    with pytest.raises(CannotBuild, match="both ship `x` with different contents"):
        write_zip(tmp_path / "a.zip", payloads, [], stamp=EPOCH_STAMP)


@pytest.mark.parametrize("name", ["ns/one.py", "ns/one.py/x.py", "ns", "one-1.0.dist-info/RECORD"])
def test_your_code_against_a_distribution(tmp_path: Path, name: str) -> None:
    code = code_files(tmp_path / "src", {name: b"A = 1\n" * 200})
    with pytest.raises(CannotBuild) as caught:
        write_zip(tmp_path / "a.zip", two_payloads(tmp_path), code, stamp=EPOCH_STAMP)
    assert "your code" in caught.value.message
    assert "exclude" in (caught.value.hint or "")
    assert not (tmp_path / "a.zip").exists()


def test_a_file_of_yours_that_changes_on_the_way(tmp_path: Path) -> None:
    code = code_files(tmp_path / "src", {"app.py": b"x = 1\n"})
    (tmp_path / "src/app.py").write_bytes(b"x = 2\n")
    (tmp_path / "a.zip").write_bytes(b"old")
    with pytest.raises(CannotBuild, match=r"`app\.py` changed while it was read"):
        write_zip(tmp_path / "a.zip", two_payloads(tmp_path), code, stamp=EPOCH_STAMP)
    assert (tmp_path / "a.zip").read_bytes() == b"old"


# Limits of the format


@pytest.mark.parametrize(
    ("entries", "zip_bytes", "fits"),
    [
        (0, 22, True),
        (65_534, 0xFFFF_FFFE, True),
        (65_535, 22, False),
        (1, 0xFFFF_FFFF, False),
    ],
)
def test_limits_of_the_zip_format(entries: int, zip_bytes: int, fits: bool) -> None:
    if fits:
        check_zip_limits(entries, zip_bytes)
        return
    with pytest.raises(CannotBuild, match="more than a zip without zip64 can"):
        check_zip_limits(entries, zip_bytes)


def test_too_many_files_are_refused_before_writing(tmp_path: Path) -> None:
    missing = SourceFile("", str(tmp_path / "never opened"), False, (1, 0, 0, 0, 0))
    code = [missing._replace(archive_name=f"data/{number}") for number in range(65_530)]
    payload = payload_with(tmp_path, "one", {"one.py": b"", "two.py": b""})
    with pytest.raises(CannotBuild, match=r"would hold 65,535 files"):
        write_zip(tmp_path / "a.zip", [payload], code, stamp=EPOCH_STAMP)


def test_a_file_beyond_4_gib_is_refused_before_writing(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    with (tmp_path / "src/huge").open("wb") as file:
        file.truncate(2**32)
    from support.assembling import code_file  # noqa: PLC0415 -- this test alone

    code = [code_file(tmp_path / "src/huge", "huge")]
    with pytest.raises(CannotBuild, match=r"at least 4,294,967,296 bytes"):
        write_zip(tmp_path / "a.zip", [], code, stamp=EPOCH_STAMP)
    assert not (tmp_path / "a.zip").exists()


# Memory

MEASURE = """
import resource, sys
from pathlib import Path
from support.assembling import payload_source, written
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
source = payload_source(Path(sys.argv[1]), "large 1.0")
written_by_now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from packager.assemble.zip_writer import write_zip
write_zip(Path(sys.argv[2]), [source], [], stamp=int(sys.argv[3]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(written_by_now - before, after - before)
"""


@pytest.mark.parametrize("stamp", [EPOCH_STAMP, LATER])
def test_memory_stays_flat(tmp_path: Path, stamp: int) -> None:
    from support.wheel_builder import build_wheel  # noqa: PLC0415 -- this test alone

    noise = os.urandom(1 << 20)
    large = b"".join(hashlib.sha256(noise + bytes([n])).digest() + noise for n in range(96))
    wheel = build_wheel(tmp_path, "large", "1.0", files={"large.bin": large}, compress=False)
    assert wheel.stat().st_size > 96 << 20
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(wheel), str(tmp_path / "a.zip"), str(stamp)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'tests'}"},
    )
    slimming, assembling = (int(text) / 1024 for text in done.stdout.split())
    # MiB on top of the started interpreter; the payload has 96.
    assert slimming < 32
    assert assembling < 40
    assert (tmp_path / "a.zip").stat().st_size > 96 << 20


def test_files_of_a_payload_go_where_they_are_sent(tmp_path: Path) -> None:
    files = {"pkg/a.py": b"1", "pkg.libs/x.so": b"2"}
    source = payload_with(tmp_path, "pkg", files)
    moved = {b"pkg.libs/x.so": b"lib/x.so"}
    placed = source._replace(folder=b"python/", moved=moved)
    artifact = written(tmp_path / "a.zip", [placed], stamp=EPOCH_STAMP)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = set(archive.namelist())
        assert archive.read("python/pkg/a.py") == b"1"
        assert archive.read("lib/x.so") == b"2"
    assert {"python/pkg/a.py", "lib/x.so", "python/pkg-1.0.dist-info/METADATA"} <= names
    assert not any(name.startswith("pkg") for name in names)
    assert {record.name.decode() for record in records_of(artifact)} == names


def test_a_file_longer_than_a_chunk_is_spliced_whole(tmp_path: Path) -> None:
    data = random.Random(7).randbytes(5 * 2**20)  # noqa: S311 -- the same in every run
    source = payload_with(tmp_path, "pkg", {"pkg/big.bin": data, "pkg/small.py": b"1"})
    written(tmp_path / "a.zip", [source], stamp=LATER)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read("pkg/big.bin") == data
        assert archive.read("pkg/small.py") == b"1"
