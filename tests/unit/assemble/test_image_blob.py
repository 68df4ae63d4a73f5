"""Layers of spliced streams: what gzip, tarfile and tar see in them."""

import gzip
import hashlib
import io
import subprocess
import tarfile
import zlib
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.assemble.image_blob import BlobFile, DamagedStreamError, write_blob
from packager.assemble.image_plan import HEAVY_BYTES, LARGEST_MANIFEST_BYTES, grouped
from packager.model.canonical import DEFLATED, STORED, Record
from packager.model.deflating import deflated
from packager.model.gzip_members import spliced_member


def blob_file(name: str, data: bytes, *, stored: bool = False, owner: str = "a 1") -> BlobFile:
    stream = data if stored else deflated(data)
    method = STORED if stored else DEFLATED
    record = Record(
        name.encode(), method, zlib.crc32(data), len(stream), len(data), name.endswith(".sh"), 0
    )
    return BlobFile(owner, record, partial(bytes, stream))


def written(*files: BlobFile, root: str = "/var/task", date: int = 0) -> bytes:
    out = io.BytesIO()
    facts = write_blob(files, out.write, root=root, modified_seconds=date)
    data = out.getvalue()
    tar = gzip.decompress(data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert facts.diff_sha256 == hashlib.sha256(tar).hexdigest()
    assert (facts.compressed_bytes, facts.uncompressed_bytes) == (len(data), len(tar))
    assert sum(facts.packed.values()) == len(data)
    return data


def contents(blob: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(blob), mode="r:gz") as tar:
        return {e.name: tar.extractfile(e).read() for e in tar if e.isreg()}  # type: ignore[union-attr]


NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="/\0\\"), min_size=1, max_size=90)
    .filter(lambda part: part not in {".", ".."}),
    min_size=1,
    max_size=4,
).map("/".join)  # fmt: skip


@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=3000), st.booleans()), max_size=6))
def test_any_files_read_back(files: dict[str, tuple[bytes, bool]]) -> None:
    names = set(files)
    kept = {n: f for n, f in files.items() if not any(o.startswith(f"{n}/") for o in names)}
    blob = written(*(blob_file(n, data, stored=s) for n, (data, s) in kept.items()))
    assert contents(blob) == {f"var/task/{name}": data for name, (data, _) in kept.items()}


def test_streams_are_copied_not_made_again(tmp_path: Path) -> None:
    data = bytes(range(256)) * 2000
    slow = zlib.compressobj(1, zlib.DEFLATED, -15)
    stream = slow.compress(data) + slow.flush()
    record = Record(b"big.bin", DEFLATED, zlib.crc32(data), len(stream), len(data), False, 0)
    blob = written(BlobFile("a 1", record, lambda: stream))
    assert stream in blob
    path = tmp_path / "layer.tar.gz"
    path.write_bytes(blob)
    listed = subprocess.run(["tar", "-tvzf", path], capture_output=True, text=True, check=True)
    assert "0/0" in listed.stdout
    assert listed.stdout.split()[-1] == "var/task/big.bin"
    subprocess.run(["gzip", "-t", path], check=True)


def test_order_of_arrival_does_not_count() -> None:
    files = [blob_file(f"pkg/{n}.sh", n.encode() * 99) for n in ("b", "a", "é", "z" * 90)]
    assert written(*files) == written(*reversed(files))
    assert written(*files) != written(*files, date=1)


def test_long_and_foreign_names_are_pax_only_where_needed() -> None:
    plain = written(blob_file("a/" + "b" * 80, b"x"))
    assert b"PaxHeader" not in gzip.decompress(plain)
    for name in ("ü", "a/" + "b" * 150, "c" * 230):
        odd = written(blob_file(name, b"x"))
        assert contents(odd) == {f"var/task/{name}": b"x"}
        assert b"PaxHeader" in gzip.decompress(odd)


@pytest.mark.parametrize("length", [0, 1, 0xFFFF, 0x10000, 200_000])
def test_stored_files_become_stored_blocks(length: int) -> None:
    data = bytes(range(256)) * (length // 256 + 1)
    data = data[:length]
    member = b"".join(spliced_member(blob_file("x", data, stored=True).record, data))
    assert gzip.decompress(member) == data
    assert len(member) <= length + 18 + 5 * (length // 0xFFFF + 1)


@pytest.mark.parametrize("spoil", [lambda s: s[:-1], lambda s: s + b"x", lambda _: b"\xff" * 9])
def test_damaged_streams_are_refused(spoil: object) -> None:
    good = blob_file("x", b"some text " * 50)
    assert callable(spoil)
    bad = good._replace(read=lambda: spoil(good.read()))
    with pytest.raises(DamagedStreamError):
        written(bad)
    wrong = good._replace(record=good.record._replace(crc32=1))
    with pytest.raises(DamagedStreamError):
        written(wrong)


def test_heavy_ones_are_alone_and_the_rest_together() -> None:
    sizes = {"small": 5, "big": HEAVY_BYTES, "just-below": HEAVY_BYTES - 1, "bigger": 9**9}
    assert grouped(sizes, base_layers=3) == [("big",), ("bigger",), ("just-below", "small")]
    assert grouped({}, base_layers=0) == []


@pytest.mark.parametrize("base_layers", [0, 5, 90, 200])
def test_the_manifest_stays_small(base_layers: int) -> None:
    sizes = {f"d{number:03}": HEAVY_BYTES + number for number in range(300)}
    groups = grouped(sizes, base_layers=base_layers)
    assert sorted(owner for group in groups for owner in group) == sorted(sizes)
    if base_layers <= 90:
        assert (len(groups) + 1 + base_layers) * 170 + 600 < LARGEST_MANIFEST_BYTES
    # The heaviest are those that stay alone.
    alone = [group[0] for group in groups if len(group) == 1]
    assert alone == sorted(alone)
    assert not alone or alone[-1] == "d299"
