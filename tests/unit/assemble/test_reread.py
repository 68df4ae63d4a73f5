from pathlib import Path

import pytest
from support.assembling import code_files, records_of, written

from packager.assemble.reread import check_headers, read_contents
from packager.errors import CannotBuild
from packager.model.artifact import Contents, ZipArtifact
from packager.model.canonical import EPOCH_STAMP, NotCanonicalError, stamp_of


@pytest.fixture
def artifact(tmp_path: Path) -> ZipArtifact:
    files = {"app.py": b"x = 1\n" * 99, "data/größe": b"", "run": b"#!"}
    return written(tmp_path / "a.zip", [], code_files(tmp_path / "src", files, executables={"run"}))


def test_what_was_written_reads_back(artifact: ZipArtifact) -> None:
    check_headers(Path(artifact.path), records_of(artifact), stamp=EPOCH_STAMP)


def test_every_bit_of_every_header_counts(artifact: ZipArtifact) -> None:
    path, records = Path(artifact.path), records_of(artifact)
    data = path.read_bytes()
    streams = {
        position
        for record in records
        for position in range(
            record.offset + 30 + len(record.name),
            record.offset + 30 + len(record.name) + record.compressed_bytes,
        )
    }
    headers = [position for position in range(len(data)) if position not in streams]
    assert len(headers) == sum(76 + 2 * len(record.name) for record in records) + 22
    for position in headers:
        spoilt = bytearray(data)
        spoilt[position] ^= 1 << position % 8
        path.write_bytes(spoilt)
        with pytest.raises(CannotBuild, match="reads back differently"):
            check_headers(path, records, stamp=EPOCH_STAMP)


def test_other_expectations_are_differences(artifact: ZipArtifact) -> None:
    path, records = Path(artifact.path), records_of(artifact)
    for expected in (
        records[1:],
        records[::-1],
        [*records, records[0]],
        [records[0]._replace(executable=True), *records[1:]],
        [records[0]._replace(crc32=1), *records[1:]],
    ):
        with pytest.raises(CannotBuild):
            check_headers(path, expected, stamp=EPOCH_STAMP)
    with pytest.raises(CannotBuild):
        check_headers(path, records, stamp=stamp_of(1_700_000_000))


@pytest.mark.parametrize("keep", [0, 1, 21, 22, -1])
def test_a_cut_file(artifact: ZipArtifact, keep: int) -> None:
    path = Path(artifact.path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CannotBuild, match="reads back differently"):
        check_headers(path, records_of(artifact), stamp=EPOCH_STAMP)


def test_a_longer_or_absent_file(artifact: ZipArtifact) -> None:
    path = Path(artifact.path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CannotBuild):
        check_headers(path, records_of(artifact), stamp=EPOCH_STAMP)
    path.unlink()
    with pytest.raises(CannotBuild, match="No such file"):
        check_headers(path, records_of(artifact), stamp=EPOCH_STAMP)


def test_an_empty_zip_reads_back(tmp_path: Path) -> None:
    written(tmp_path / "empty.zip", [])
    check_headers(tmp_path / "empty.zip", [], stamp=EPOCH_STAMP)


def test_the_first_difference_is_named(artifact: ZipArtifact) -> None:
    path, records = Path(artifact.path), records_of(artifact)
    other = records[1]._replace(crc32=7)
    expected = [records[0], other, *records[2:]]
    with pytest.raises(CannotBuild) as caught:
        check_headers(path, expected, stamp=EPOCH_STAMP, shown=Path("shown.zip"))
    assert caught.value.message == (
        "`shown.zip` reads back differently from what was written: the central directory has "
        f"{(records[1], EPOCH_STAMP)} instead of {(other, EPOCH_STAMP)}"
    )
    assert caught.value.hint == "build again; when it happens twice, check the disk"
    with pytest.raises(CannotBuild, match=r": 3 files instead of 2$"):
        check_headers(path, records[:2], stamp=EPOCH_STAMP)


def test_contents_belong_to_their_owners_in_order(artifact: ZipArtifact) -> None:
    path, records = Path(artifact.path), records_of(artifact)
    assert read_contents(path, [("a", 1), ("none", 0), ("b", 2)]) == (
        Contents(owner="a", records=tuple(records[:1])),
        Contents(owner="none", records=()),
        Contents(owner="b", records=tuple(records[1:])),
    )


@pytest.mark.parametrize("owners", [[], [("a", 2)], [("a", 4)], [("a", 3), ("b", 1)]])
def test_contents_of_other_owners(artifact: ZipArtifact, owners: list[tuple[str, int]]) -> None:
    with pytest.raises(NotCanonicalError, match="3 files are not those of its owners"):
        read_contents(Path(artifact.path), owners)


@pytest.mark.parametrize("keep", [0, 10, 60, -1])
def test_contents_of_a_cut_file(artifact: ZipArtifact, keep: int) -> None:
    path = Path(artifact.path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(NotCanonicalError):
        read_contents(path, [("a", 3)])
