import copy
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.built_manifest import zip_and_manifest
from support.intensity import examples

from packager.errors import CannotBuild
from packager.model.canonical import EPOCH_STAMP, stamp_of
from packager.verify.artifact import check_artifact

Manifest = dict[str, Any]
Built = tuple[Path, Manifest]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return zip_and_manifest(tmp_path_factory.mktemp("built"))


@pytest.mark.parametrize("stamp", [EPOCH_STAMP, stamp_of(1_700_000_000)])
def test_a_clean_zip_is_clean(tmp_path: Path, stamp: int) -> None:
    path, manifest = zip_and_manifest(tmp_path, stamp=stamp)
    assert check_artifact(path, manifest) == []


def consistent(manifest: Manifest, data: bytes) -> Manifest:
    """A forger's manifest: the digest is that of the spoilt zip, so only the files can tell."""
    import base64  # noqa: PLC0415 -- here alone
    import hashlib  # noqa: PLC0415 -- here alone

    forged = copy.deepcopy(manifest)
    digest = hashlib.sha256(data)
    forged["artifact"]["sha256"] = digest.hexdigest()
    forged["artifact"]["code_sha256"] = base64.b64encode(digest.digest()).decode()
    return forged


def test_every_flipped_byte_is_found(built: Built, tmp_path: Path) -> None:
    path, manifest = built
    data = path.read_bytes()
    spoilt = tmp_path / "spoilt.zip"
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x80
        spoilt.write_bytes(changed)
        assert any("sha256" in fault for fault in check_artifact(spoilt, manifest)), position


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(200))
@given(where=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_a_forged_digest_does_not_help(
    built: Built, tmp_path: Path, where: float, mask: int
) -> None:
    path, manifest = built
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= mask
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(data)
    # Behind the end of a deflate stream up to seven bits mean nothing: whoever flips one of them,
    # and forges the digest, has made another zip of the same files.
    assert check_artifact(spoilt, consistent(manifest, bytes(data))) or (
        contents(spoilt) == contents(path)
    )


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_bits_behind_a_stream_are_all_that_a_forger_may_change(
    built: Built, tmp_path: Path
) -> None:
    path, manifest = built
    data = path.read_bytes()
    spoilt = tmp_path / "spoilt.zip"
    with zipfile.ZipFile(path) as archive:
        ends = [
            entry.header_offset + 30 + len(entry.filename.encode()) + entry.compress_size - 1
            for entry in archive.infolist()
            if entry.compress_type == zipfile.ZIP_DEFLATED
        ]
    unnoticed = 0
    for end in ends:
        changed = data[:end] + bytes([data[end] ^ 0x80]) + data[end + 1 :]
        spoilt.write_bytes(changed)
        if not check_artifact(spoilt, consistent(manifest, changed)):
            unnoticed += 1
            assert contents(spoilt) == contents(path)
    assert unnoticed


def test_every_region_with_a_forged_digest(built: Built, tmp_path: Path) -> None:
    path, manifest = built
    data = path.read_bytes()
    spoilt = tmp_path / "spoilt.zip"
    for position in range(0, len(data), 3):
        changed = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        spoilt.write_bytes(changed)
        assert check_artifact(spoilt, consistent(manifest, changed)), position


@pytest.mark.parametrize("keep", [0, 1, 21, 22, 23, 100, -22, -1])
def test_a_cut_zip(built: Built, tmp_path: Path, keep: int) -> None:
    path, manifest = built
    spoilt = tmp_path / "spoilt.zip"
    data = path.read_bytes()[:keep]
    spoilt.write_bytes(data)
    assert check_artifact(spoilt, manifest)
    assert check_artifact(spoilt, consistent(manifest, data))


@pytest.mark.parametrize("where", ["before", "after", "between"])
def test_a_longer_zip(built: Built, tmp_path: Path, where: str) -> None:
    path, manifest = built
    data, more = path.read_bytes(), b"PK\x03\x04 and more"
    offset = data.index(b"PK\x01\x02")
    changed = {
        "before": more + data,
        "after": data + more,
        "between": data[:offset] + more + data[offset:],
    }[where]
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(changed)
    faults = check_artifact(spoilt, manifest)
    assert any("bytes, the manifest says" in fault for fault in faults)
    assert len(check_artifact(spoilt, consistent(manifest, changed))) >= 1


def test_another_stream_of_the_same_bytes_is_found(built: Built, tmp_path: Path) -> None:
    # Readers would see the same file; the manifest does not describe this zip all the same.
    path, manifest = built
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    text = b"A = 1\n" * 60
    other = packer.compress(text) + packer.flush()
    data = path.read_bytes()
    start = data.index(b"ns/one.py") + len(b"ns/one.py")
    changed = data[:start] + other + data[start + len(other) :]
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(changed)
    assert changed != data
    assert check_artifact(spoilt, manifest)


def test_what_cannot_be_read(built: Built, tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="cannot read"):
        check_artifact(tmp_path / "absent.zip", built[1])
    with pytest.raises(CannotBuild, match="cannot read"):
        check_artifact(tmp_path, built[1])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, child in value.items() for leaf in leaves(child, (*path, key))]
    if isinstance(value, list):
        return [leaf for n, child in enumerate(value) for leaf in leaves(child, (*path, n))]
    return [path]


def edited(manifest: Manifest, path: tuple[Any, ...], edit: Callable[[Any], Any]) -> Manifest:
    changed = copy.deepcopy(manifest)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = edit(place[path[-1]])
    return changed


def other_value(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return "00" + value[2:] if len(value) > 40 else value + "x"


# Claims that the bytes of the zip can confirm or refute, by the first two steps of their path.
CHECKED = {"artifact", "limits", "fits", "distributions", "code"}
NOT_IN_THE_ZIP = {
    "kind",
    "path",
    "encoders",
    "title",
    "binding",
    "source",
    "name",
    "version",
    "wheel",
    "wheel_sha256",
    "required_by",
    "findings",
    "dropped",
    "excluded",
    "retained_compressed_bytes",
    "retained_uncompressed_bytes",
    "subtracted",
}


def test_every_edited_claim_is_found(built: Built) -> None:
    path, manifest = built
    checked = [
        leaf
        for leaf in leaves(manifest)
        if leaf[0] in CHECKED
        and not NOT_IN_THE_ZIP & set(leaf)
        # A distribution that is left out has no bytes here.
        and not (leaf[0] == "distributions" and manifest["distributions"][leaf[1]]["subtracted"])
    ]
    assert len(checked) > 60
    for leaf in checked:
        assert check_artifact(path, edited(manifest, leaf, other_value)), leaf


def test_files_moved_between_owners_are_found(built: Built) -> None:
    path, manifest = built
    changed = copy.deepcopy(manifest)
    names = [owner["name"] for owner in changed["distributions"]]
    one, two = (changed["distributions"][names.index(name)] for name in ("one", "two"))
    two["files"].insert(0, one["files"].pop())
    assert check_artifact(path, changed)


def test_a_distribution_declared_left_out_is_found(built: Built) -> None:
    path, manifest = built
    changed = copy.deepcopy(manifest)
    changed["distributions"][1]["subtracted"] ^= True
    changed["distributions"][-1]["subtracted"] ^= True
    assert check_artifact(path, changed)


@pytest.mark.parametrize("spoil", ["fewer", "more", "swapped"])
def test_an_edited_list_of_files_is_found(built: Built, spoil: str) -> None:
    path, manifest = built
    changed = copy.deepcopy(manifest)
    rows = changed["code"]["files"]
    if spoil == "fewer":
        rows.pop()
    elif spoil == "more":
        rows.append(rows[0])
    else:
        rows.reverse()
    assert check_artifact(path, changed)
