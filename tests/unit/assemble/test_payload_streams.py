import zipfile
import zlib
from pathlib import Path

import pytest
from support.assembling import payload_with

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.open_payload import PayloadSource
from packager.assemble.payload_streams import mapped_payload, payload_records, stream_of

FILES = {"one.py": b"x = 1\n" * 50, "data/two.bin": bytes(range(256)), "empty": b""}


@pytest.fixture
def payload(tmp_path: Path) -> PayloadSource:
    return payload_with(tmp_path, "demo", FILES, executables=["one.py"])


def test_the_records_are_those_of_the_file(payload: PayloadSource) -> None:
    with zipfile.ZipFile(payload.path) as archive:
        listed = [
            (each.filename, each.CRC, each.compress_size, each.file_size, each.header_offset)
            for each in archive.infolist()
        ]
    records = payload_records(payload)
    assert [
        (r.name.decode(), r.crc32, r.compressed_bytes, r.uncompressed_bytes, r.offset)
        for r in records
    ] == listed
    assert len(listed) == payload.entries
    assert [r.name for r in records if r.executable] == [b"one.py"]


def test_streams_are_found_in_any_order(payload: PayloadSource) -> None:
    records = {record.name.decode(): record for record in payload_records(payload)}
    with mapped_payload(payload) as mapped:
        for name in reversed(FILES):
            stream = stream_of(mapped, records[name])
            plain = zlib.decompress(stream, -15) if records[name].method else stream
            assert plain == FILES[name]


@pytest.mark.parametrize("entries", [-1, 1])
def test_another_number_of_files_is_damage(payload: PayloadSource, entries: int) -> None:
    with pytest.raises(PayloadDamagedError, match="demo"):
        payload_records(payload._replace(entries=payload.entries + entries))


@pytest.mark.parametrize("damage", ["cut", "gone", "flipped", "longer"])
def test_damage_is_named_by_the_payload(payload: PayloadSource, damage: str) -> None:
    data = bytearray(payload.path.read_bytes())
    if damage == "gone":
        payload.path.unlink()
    elif damage == "cut":
        payload.path.write_bytes(data[: payload.body_bytes + 20])
    elif damage == "longer":
        payload.path.write_bytes(data + b"\0")
    else:
        data[payload.body_bytes] ^= 1
        payload.path.write_bytes(data)
    for read in (lambda: payload_records(payload), lambda: mapped_payload(payload).__enter__()):
        with pytest.raises(PayloadDamagedError) as caught:
            read()
        assert caught.value.args == (payload.key,)
