"""After a change of the user's code the payloads' part is copied: the same bytes, or a refusal."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from support.assembling import code_files, payload_with, records_of, written

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.merge import CollisionError
from packager.assemble.open_payload import PayloadSource
from packager.assemble.rewrite import rewrite_zip
from packager.errors import CannotBuild
from packager.model.artifact import ZipArtifact
from packager.model.prefix import Prefix

SHARED = {"ns/__init__.py": b"", "LICENSE": b"the same licence\n" * 30}


def payloads_in(folder: Path) -> list[PayloadSource]:
    """Build two that share files, so that the copy has gaps, and one larger than a copied piece."""
    return [
        payload_with(folder, "one", {**SHARED, "ns/one.py": b"A = 1\n" * 200}),
        payload_with(folder, "two", {"a": b"a", **SHARED, "ns/two.py": os.urandom(3000)}),
        payload_with(folder, "big", {"big/data": os.urandom(9_000_000), "big/x.py": b"X = 1\n"}),
    ]


def remembered(prefix: Prefix | None) -> Prefix:
    """Take the way through the store's documents."""
    assert prefix is not None
    return Prefix.from_document(
        prefix.to_document(), directory=prefix.directory, names=prefix.names
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[PayloadSource], ZipArtifact]:
    folder = tmp_path_factory.mktemp("first")
    payloads = payloads_in(folder)
    code = code_files(folder / "src", {"app.py": b"x = 1\n"})
    return payloads, written(folder / "first.zip", payloads, code)


@pytest.fixture
def first(
    tmp_path: Path, made: tuple[list[PayloadSource], ZipArtifact]
) -> tuple[list[PayloadSource], ZipArtifact]:
    """Copies of the payloads, for a test to spoil, and the zip made of them."""
    payloads, artifact = made
    copies = [each._replace(path=Path(shutil.copy(each.path, tmp_path))) for each in payloads]
    return copies, artifact


def test_the_bytes_are_those_of_a_whole_assembly(
    tmp_path: Path, first: tuple[list[PayloadSource], ZipArtifact]
) -> None:
    payloads, artifact = first
    code = code_files(tmp_path / "src", {"app.py": b"x = 2\n", "pkg/m.py": b"y = 1\n" * 99})
    whole = written(tmp_path / "whole.zip", payloads, code)
    again = rewrite_zip(tmp_path / "again.zip", payloads, code, remembered(artifact.prefix))
    data = (tmp_path / "again.zip").read_bytes()
    assert data == (tmp_path / "whole.zip").read_bytes()
    assert again.sha256 == hashlib.sha256(data).hexdigest() == whole.sha256
    assert again.contents == whole.contents
    assert [each.figures for each in again.contents] == [each.figures for each in whole.contents]
    assert records_of(again) == records_of(whole)
    assert (again.compressed_bytes, again.uncompressed_bytes, again.entries) == (
        whole.compressed_bytes,
        whole.uncompressed_bytes,
        whole.entries,
    )
    assert again.prefix == whole.prefix
    with zipfile.ZipFile(tmp_path / "again.zip") as archive:
        assert archive.testzip() is None


def test_without_any_code_and_without_any_payload(tmp_path: Path) -> None:
    code = code_files(tmp_path / "src", {"app.py": b"x = 1\n"})
    alone = written(tmp_path / "alone.zip", [], code)
    rewrite_zip(tmp_path / "again.zip", [], code, remembered(alone.prefix))
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "alone.zip").read_bytes()
    payloads = payloads_in(tmp_path)
    bare = written(tmp_path / "bare.zip", payloads)
    rewrite_zip(tmp_path / "again.zip", payloads, [], remembered(bare.prefix))
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "bare.zip").read_bytes()


def test_where_the_system_cannot_copy_by_itself(
    tmp_path: Path,
    first: tuple[list[PayloadSource], ZipArtifact],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payloads, artifact = first
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    code = code_files(tmp_path / "src", {"app.py": b"x = 1\n"})
    rewrite_zip(tmp_path / "again.zip", payloads, code, remembered(artifact.prefix))
    assert (tmp_path / "again.zip").read_bytes() == Path(artifact.path).read_bytes()


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_flipped_bit_never_gets_out(
    tmp_path: Path, first: tuple[list[PayloadSource], ZipArtifact], which: int, where: str
) -> None:
    payloads, artifact = first
    payload = payloads[which]
    # What another payload ships already is not copied: a flip there is nobody's business.
    assert artifact.prefix is not None
    copied = [each for each in artifact.prefix.ranges if each.payload == which]
    longest = max(copied, key=lambda each: each.length_bytes)
    at = {
        "first": copied[0].offset,
        "middle": longest.offset + longest.length_bytes // 2,
        "last": copied[-1].offset + copied[-1].length_bytes - 1,
    }[where]
    data = bytearray(payload.path.read_bytes())
    data[at] ^= 1
    payload.path.write_bytes(data)
    target = tmp_path / "again.zip"
    target.write_bytes(b"old")
    with pytest.raises(PayloadDamagedError):
        rewrite_zip(target, payloads, [], remembered(artifact.prefix))
    assert target.read_bytes() == b"old"
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_payload_that_is_cut_or_gone(
    tmp_path: Path, first: tuple[list[PayloadSource], ZipArtifact], damage: str
) -> None:
    payloads, artifact = first
    if damage == "gone":
        payloads[1].path.unlink()
    else:
        os.truncate(payloads[2].path, 5_000_000)
    with pytest.raises(PayloadDamagedError):
        rewrite_zip(tmp_path / "again.zip", payloads, [], remembered(artifact.prefix))
    assert not (tmp_path / "again.zip").exists()


@pytest.mark.parametrize(
    "name", ["ns/one.py", "big/data/inside.py", "ns", "LICENSE", "one-1.0.dist-info/METADATA"]
)
def test_collisions_are_left_to_the_whole_assembly(
    tmp_path: Path, first: tuple[list[PayloadSource], ZipArtifact], name: str
) -> None:
    payloads, artifact = first
    code = code_files(tmp_path / "src", {name: b"x = 1\n"})
    with pytest.raises(CollisionError):
        rewrite_zip(tmp_path / "again.zip", payloads, code, remembered(artifact.prefix))
    with pytest.raises(CannotBuild):
        written(tmp_path / "again.zip", payloads, code)


@pytest.mark.parametrize("name", ["one.py", "s/one.py", "ns/one.p", "n", "big/data2", "LICENSE2"])
def test_names_that_only_look_alike(
    tmp_path: Path, first: tuple[list[PayloadSource], ZipArtifact], name: str
) -> None:
    payloads, artifact = first
    code = code_files(tmp_path / "src", {name: b"x = 1\n"})
    rewrite_zip(tmp_path / "again.zip", payloads, code, remembered(artifact.prefix))
    written(tmp_path / "whole.zip", payloads, code)
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
