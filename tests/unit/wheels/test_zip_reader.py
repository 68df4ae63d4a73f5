import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.demo_wheel import streamed
from support.raw_zip import RawMember, deflate, write_zip, zip64_extra

from packager.wheels.zip_end import MalformedZip
from packager.wheels.zip_members import locate_stream, stream_member
from packager.wheels.zip_reader import Archive, parse_extras, read_archive, resolve_zip64


@contextmanager
def opened(folder: Path, data: bytes) -> Iterator[int]:
    path = folder / "x.zip"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read(folder: Path, data: bytes) -> Archive:
    with opened(folder, data) as descriptor:
        return read_archive(descriptor)


def test_entries_come_by_offset_and_tile_the_file(tmp_path: Path) -> None:
    data = write_zip([RawMember(name="b", data=b"12"), RawMember(name="a", data=b"", method=0)])
    entries = read(tmp_path, data).entries
    assert [entry.name for entry in entries] == ["b", "a"]
    assert entries[0].header_offset == 0
    assert entries[1].header_offset == entries[0].extent_bytes
    assert sum(entry.extent_bytes for entry in entries) == data.index(b"PK\x01\x02")


def test_the_file_position_does_not_move(tmp_path: Path) -> None:
    with opened(tmp_path, write_zip([RawMember(name="a", data=b"1")])) as descriptor:
        read_archive(descriptor)
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0


@pytest.mark.parametrize(
    ("mode", "executable"),
    [
        (0o644, False),
        (0o755, True),
        (0o4711, True),
        (0o100, True),
        (0o010, True),
        (0o001, True),
        (0o7666, False),
    ],
)
def test_only_the_x_bits_of_a_mode_count(tmp_path: Path, mode: int, executable: bool) -> None:
    member = RawMember(name="a", data=b"", both={"attributes": (0o100000 | mode) << 16})
    assert read(tmp_path, write_zip([member])).entries[0].executable is executable


ONE = RawMember(name="a", data=b"1", method=0)
WHOLE = write_zip([ONE])
CENTRAL = WHOLE.index(b"PK\x01\x02")


def edited(position: int, data: bytes) -> bytes:
    return WHOLE[:position] + data + WHOLE[position + len(data) :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (edited(CENTRAL, b"PK\x03\x04"), "its central directory is malformed"),
        (edited(CENTRAL + 3, b"\x03"), "its central directory is malformed"),
        (edited(CENTRAL + 28, b"\x02"), "its central directory is malformed"),
        (edited(CENTRAL + 30, b"\x01"), "its central directory is malformed"),
        (edited(CENTRAL + 32, b"\x01"), "its central directory is malformed"),
        (edited(CENTRAL + 34, b"\x01"), "`a` lies on another volume"),
        (edited(CENTRAL + 35, b"\x01"), "`a` lies on another volume"),
        (write_zip([RawMember(name="", data=b"")]), "the name `` has an empty part"),
        (
            write_zip([ONE], end={"here": 65_534, "total": 65_534}),
            "its central directory has fewer entries than it states",
        ),
        (
            write_zip([ONE], end={"directory_bytes": 2**25}),
            "its central directory does not end where the end record begins",
        ),
        (
            write_zip([ONE], end={"directory_bytes": 2**25 + 1}),
            "its directory is larger than 33554432 bytes",
        ),
    ],
)
def test_a_central_directory_that_lies(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(MalformedZip) as caught:
        read(tmp_path, data)
    assert str(caught.value) == reason


def stating(uncompressed_bytes: int, *, stored_bytes: int = 10) -> bytes:
    lie: dict[str, int | bytes] = {"uncompressed": uncompressed_bytes}
    return write_zip([RawMember(name="a", data=b"", stream=bytes(stored_bytes), both=lie)])


def test_what_all_members_may_unpack_to(tmp_path: Path) -> None:
    file_bytes = len(stating(0, stored_bytes=400_000))
    assert 200 * file_bytes > 2**26
    for total, stored_bytes in ((2**26, 10), (200 * file_bytes, 400_000)):
        entry = read(tmp_path, stating(total, stored_bytes=stored_bytes)).entries[0]
        assert entry.uncompressed_bytes == total
    for total, stored_bytes in ((2**26 + 1, 10), (200 * file_bytes + 1, 400_000), (2**31, 10)):
        with pytest.raises(MalformedZip, match=r"^it unpacks to more than 200 times its size$"):
            read(tmp_path, stating(total, stored_bytes=stored_bytes))
    with pytest.raises(MalformedZip, match=r"^it unpacks to 2147483649 bytes, more than 21474836"):
        read(tmp_path, stating(2**31 + 1))


def test_every_kind_of_mode_is_a_file_or_refused(tmp_path: Path) -> None:
    for kind in range(16):
        member = RawMember(name="a", data=b"", both={"attributes": (kind << 12 | 0o644) << 16})
        if kind in {0, 8}:
            assert len(read(tmp_path, write_zip([member])).entries) == 1
        else:
            with pytest.raises(MalformedZip, match=r"symbolic link|neither a file nor a folder"):
                read(tmp_path, write_zip([member]))


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    data = write_zip([RawMember(name="a", data=os.urandom(600_000), method=0)])
    with opened(tmp_path, data) as descriptor:
        entry = read_archive(descriptor).entries[0]
        offset, first = locate_stream(descriptor, entry)
        os.truncate(tmp_path / "x.zip", 300_000)
        with pytest.raises(MalformedZip, match="the file ends too early"):
            list(stream_member(descriptor, entry, offset, first))


@pytest.mark.parametrize("kept", [0, 31, 2**18 - 1])
def test_a_file_that_shrinks_before_its_member_is_read(tmp_path: Path, kept: int) -> None:
    data = write_zip([RawMember(name="a", data=os.urandom(600_000), method=0)])
    with opened(tmp_path, data) as descriptor:
        entry = read_archive(descriptor).entries[0]
        os.truncate(tmp_path / "x.zip", kept)
        with pytest.raises(MalformedZip, match=r"^the file ends too early$"):
            locate_stream(descriptor, entry)


@pytest.mark.parametrize("size", [0, 1, 2**18, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 + 7])
@pytest.mark.parametrize("method", [0, 8])
def test_streams_of_every_length_come_out_whole(tmp_path: Path, size: int, method: int) -> None:
    data = bytes(size // 2) + (b"lambda layer " * (size // 26 + 1))[: size - size // 2]
    archive = write_zip([RawMember(name="a", data=data, method=method)])
    with opened(tmp_path, archive) as descriptor:
        entry = read_archive(descriptor).entries[0]
        chunks = list(stream_member(descriptor, entry, *locate_stream(descriptor, entry)))
    assert b"".join(chunks) == data
    assert max(map(len, chunks), default=0) <= 2**20


def test_a_stream_that_goes_on_yields_nothing(tmp_path: Path) -> None:
    member = RawMember(name="a", data=b"ab", stream=deflate(bytes(2**24)))
    with opened(tmp_path, write_zip([member])) as descriptor:
        entry = read_archive(descriptor).entries[0]
        chunks = stream_member(descriptor, entry, *locate_stream(descriptor, entry))
        with pytest.raises(MalformedZip, match="more than it states"):
            next(chunks)


def test_extras() -> None:
    record = struct.pack("<2H", 0x5455, 1) + b"x"
    assert parse_extras(b"", "a") == {}
    assert parse_extras(record * 2 + zip64_extra(7), "a") == {0x5455: b"x", 1: zip64_extra(7)[4:]}
    wide = struct.pack("<2H", 0xCAFE, 0xFFFF) + bytes(0xFFFF)
    assert parse_extras(wide + record, "a") == {0xCAFE: bytes(0xFFFF), 0x5455: b"x"}
    with pytest.raises(MalformedZip, match="0x0001 twice"):
        parse_extras(zip64_extra(7) * 2, "a")
    for cut in (1, 3, 4):
        with pytest.raises(MalformedZip, match="is cut off"):
            parse_extras(record[:cut], "a")


def test_zip64_values_replace_sentinels_in_order() -> None:
    sentinel = 0xFFFFFFFF
    assert resolve_zip64((1, 2, 3), None, "a") == (1, 2, 3)
    packed = struct.pack("<2Q", 7, 8)
    assert resolve_zip64((sentinel, 2, sentinel), packed, "a") == (7, 2, 8)
    for values, extra in (((1, 2), packed), ((sentinel, 2), packed), ((sentinel, 2), None)):
        with pytest.raises(MalformedZip, match="does not fit"):
            resolve_zip64(values, extra, "a")


def test_a_checksum_may_look_like_the_signature_of_a_descriptor(tmp_path: Path) -> None:
    data = b"\xac\nz\xd5"
    assert struct.pack("<I", zlib.crc32(data)) == b"PK\x07\x08"
    for signature in (False, True):
        member = streamed(RawMember(name="a", data=data), signature=signature)
        with opened(tmp_path, write_zip([member])) as descriptor:
            entry = read_archive(descriptor).entries[0]
            chunks = stream_member(descriptor, entry, *locate_stream(descriptor, entry))
            assert b"".join(chunks) == data
