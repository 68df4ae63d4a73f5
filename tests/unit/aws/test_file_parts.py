"""What S3 says of an object is told apart from what the file is: by SHA-256, or by MD5 at worst."""

import base64
import hashlib
from pathlib import Path

import pytest

from packager.aws.file_parts import FileParts, read_part, read_parts
from packager.aws.places import Place, parse_place
from packager.errors import UsageError

DATA = bytes(range(256)) * 10


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


@pytest.fixture
def file(tmp_path: Path) -> FileParts:
    path = tmp_path / "a.zip"
    path.write_bytes(DATA)
    return read_parts(path, part_bytes=1000)


def test_the_parts_are_the_file(file: FileParts) -> None:
    assert [part.size_bytes for part in file.parts] == [1000, 1000, 560]
    assert b"".join(read_part(file.path, part) for part in file.parts) == DATA
    assert file.sha256 == hashlib.sha256(DATA).digest()
    assert file.size_bytes == len(DATA)


def test_an_object_of_one_request(file: FileParts) -> None:
    whole = _base64(hashlib.sha256(DATA).digest())
    assert file.is_stored_as({"ObjectSize": 2560, "Checksum": {"ChecksumSHA256": whole}})
    assert not file.is_stored_as({"ObjectSize": 2559, "Checksum": {"ChecksumSHA256": whole}})
    tag = hashlib.md5(DATA).hexdigest()  # noqa: S324 -- S3's ETag
    assert file.is_stored_as({"ObjectSize": 2560, "ETag": f'"{tag}"'})


def test_an_object_of_parts(file: FileParts) -> None:
    pieces = [DATA[at : at + 1000] for at in range(0, len(DATA), 1000)]
    joined = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
    composite = _base64(hashlib.sha256(joined).digest())
    attributes = {"ObjectSize": 2560, "Checksum": {"ChecksumSHA256": f"{composite}-3"}}
    assert file.is_stored_as(attributes)
    sums = b"".join(hashlib.md5(piece).digest() for piece in pieces)  # noqa: S324 -- S3's ETag
    tag = f"{hashlib.md5(sums).hexdigest()}-3"  # noqa: S324 -- likewise
    assert file.is_stored_as({"ObjectSize": 2560, "ETag": tag})


def test_a_digest_of_other_bytes_wins_over_an_equal_tag(file: FileParts) -> None:
    tag = hashlib.md5(DATA).hexdigest()  # noqa: S324 -- S3's ETag
    other = _base64(hashlib.sha256(b"other").digest())
    attributes = {"ObjectSize": 2560, "ETag": tag, "Checksum": {"ChecksumSHA256": other}}
    assert not file.is_stored_as(attributes)


def test_an_object_under_a_customers_key_is_not_recognized_by_its_tag(file: FileParts) -> None:
    assert not file.is_stored_as({"ObjectSize": 2560, "ETag": "d41d8cd98f00b204e9800998ecf8427e"})


def test_a_listed_part(file: FileParts) -> None:
    part = file.parts[1]
    piece = DATA[1000:2000]
    checksum = _base64(hashlib.sha256(piece).digest())
    tag = hashlib.md5(piece).hexdigest()  # noqa: S324 -- S3's ETag
    assert part.is_stored_as({"Size": 1000, "ChecksumSHA256": checksum, "ETag": "of a key"})
    assert part.is_stored_as({"Size": 1000, "ETag": f'"{tag}"'})
    assert not part.is_stored_as({"Size": 999, "ETag": f'"{tag}"'})
    assert not part.is_stored_as({"Size": 1000, "ChecksumSHA256": "AAAA", "ETag": f'"{tag}"'})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://b/k.zip", Place("b", "k.zip")),
        ("s3://b/a/b/k.zip", Place("b", "a/b/k.zip")),
        ("s3://b/a/", Place("b", "a/name.zip")),
        ("s3://b/", Place("b", "name.zip")),
        ("s3://b", Place("b", "name.zip")),
    ],
)
def test_places(text: str, place: Place) -> None:
    assert parse_place(text, file_name="name.zip") == place


@pytest.mark.parametrize("text", ["", "b/k", "s3:/b/k", "s3:///k", "https://b/k"])
def test_no_places(text: str) -> None:
    with pytest.raises(UsageError, match="is no place in S3"):
        parse_place(text, file_name="name.zip")
