from pathlib import Path

from support.assembling import code_files, payload_with, written
from support.dependencies import dependencies, distribution

from packager.measure.measurement import measure
from packager.model.canonical import END


def test_owners_and_the_end_record_are_the_whole_zip(tmp_path: Path) -> None:
    shared = {"ns/__init__.py": b"", "LICENSE": b"the same\n" * 20}
    payloads = [
        payload_with(tmp_path, name, {**shared, f"{name}/größe.py": b"x = 1\n" * n})
        for n, name in enumerate(("one", "two", "three"), start=100)
    ]
    code = code_files(tmp_path / "src", {"app.py": b"import one\n", "empty": b""})
    artifact = written(tmp_path / "a.zip", payloads, code)
    measured = measure(
        dependencies(
            distribution("one", required_by=[""]),
            distribution("two", required_by=["one"]),
            distribution("three", required_by=["two"]),
            distribution("gone", required_by=["one"], subtracted=True),
        ),
        artifact,
        upload="direct",
    )
    everything = [*measured.shares, measured.code]
    zip_bytes = (tmp_path / "a.zip").stat().st_size
    assert sum(share.compressed_bytes for share in everything) + END.size == zip_bytes
    assert sum(share.uncompressed_bytes for share in everything) == artifact.uncompressed_bytes
    assert sum(share.entries for share in everything) == artifact.entries
    by_name = {share.name: share for share in everything}
    assert by_name.keys() == {"one", "two", "three", ""}
    assert by_name["one"].retained_compressed_bytes == sum(
        by_name[name].compressed_bytes for name in ("one", "two", "three")
    )
    assert by_name[""].entries == 2
    assert by_name[""].retained_compressed_bytes == by_name[""].compressed_bytes
    assert measured.fits
    assert [check.measured_bytes for check in measured.limits] == [
        zip_bytes,
        artifact.uncompressed_bytes,
    ]
