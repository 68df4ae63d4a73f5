import io
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from packager.model.canonical import (
    CENTRAL,
    END,
    EPOCH_STAMP,
    LOCAL,
    NotCanonicalError,
    Record,
    central_record,
    end_record,
    local_header,
    read_directory,
    read_end_record,
    stamp_of,
)
from packager.model.deflating import deflated

TEXT = b"def handler(event, context):\n    return event\n" * 40
FILES = [("app.py", TEXT, False), ("bin/run", b"#!/bin/sh\n", True), ("größe/空.txt", b"", False)]


def canonical_zip(stamp: int = EPOCH_STAMP) -> tuple[bytes, list[Record]]:
    body = b""
    records = []
    for name, data, executable in FILES:
        method = 8 if len(data) > 100 else 0
        stream = deflated(data) if method else data
        record = Record(
            name.encode(), method, zlib.crc32(data), len(stream), len(data), executable, len(body)
        )
        body += local_header(record, stamp) + stream
        records.append(record)
    directory = b"".join(central_record(record, stamp) for record in records)
    end = end_record(
        entries=len(records), directory_bytes=len(directory), directory_offset=len(body)
    )
    return body + directory + end, records


def test_pythons_zipfile_reads_every_field_as_meant() -> None:
    data, _ = canonical_zip()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.comment == b""
        for info, (name, text, executable) in zip(archive.infolist(), FILES, strict=True):
            assert info.filename == name
            assert archive.read(info) == text
            assert info.create_system == 3
            assert (info.create_version, info.extract_version) == (20, 20)
            assert info.external_attr == (0o100755 if executable else 0o100644) << 16
            assert (info.internal_attr, info.volume, info.extra, info.comment) == (0, 0, b"", b"")
            assert info.flag_bits == (0 if name.isascii() else 0x800)
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.header_offset == data.index(b"PK\x03\x04", info.header_offset)


def test_headers_are_those_that_zipfile_writes() -> None:
    # zipfile writes this profile when it is told the same date, mode and system.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data, executable in FILES:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = (0o100755 if executable else 0o100644) << 16
            archive.writestr(info, data)
    ours = b""
    records = []
    for name, data, executable in FILES:
        record = Record(
            name.encode(), 0, zlib.crc32(data), len(data), len(data), executable, len(ours)
        )
        records.append(record)
        ours += local_header(record, EPOCH_STAMP) + data
    directory = b"".join(central_record(record, EPOCH_STAMP) for record in records)
    ours += directory + end_record(
        entries=3, directory_bytes=len(directory), directory_offset=len(ours)
    )
    assert ours == buffer.getvalue()


def test_zipinfo_finds_nothing_beyond_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(canonical_zip()[0])
    said = subprocess.run(
        ["zipinfo", "-v", str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    ).stdout
    for line, times in {
        r"file system or operating system of origin:      Unix": 3,
        r"version of encoding software:                   2.0": 3,
        r"minimum software version required to extract:   2.0": 3,
        r"extended local header:                          no": 3,
        r"length of extra field:                          0 bytes": 3,
        r"length of file comment:                         0 characters": 3,
        r"Unix file attributes (100644 octal):            -rw-r--r--": 2,
        r"Unix file attributes (100755 octal):            -rwxr-xr-x": 1,
        r"MS-DOS file attributes (00 hex):                none": 3,
        r"file last modified on (DOS date/time):          1980 Jan 1 00:00:00": 3,
    }.items():
        assert said.count(line) == times, line
    assert "There are an extra" not in said


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [
        (0, (1980, 1, 1, 0, 0, 0)),
        (-1, (1980, 1, 1, 0, 0, 0)),
        (315_532_799, (1980, 1, 1, 0, 0, 0)),  # 1979-12-31 23:59:59
        (315_532_800, (1980, 1, 1, 0, 0, 0)),
        (315_532_801, (1980, 1, 1, 0, 0, 0)),  # an odd second goes down
        (315_532_802, (1980, 1, 1, 0, 0, 2)),
        (951_782_399, (2000, 2, 28, 23, 59, 58)),
        (951_782_400, (2000, 2, 29, 0, 0, 0)),
        (1_700_000_001, (2023, 11, 14, 22, 13, 20)),
        (4_354_819_199, (2107, 12, 31, 23, 59, 58)),
        (4_354_819_200, (2107, 12, 31, 23, 59, 58)),  # 2108-01-01
        (10**17, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_stamp_of(epoch: int, expected: tuple[int, ...]) -> None:
    data, _ = canonical_zip(stamp_of(epoch))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {info.date_time for info in archive.infolist()} == {expected}


def test_epoch_stamp_is_1980() -> None:
    assert stamp_of(315_532_800) == EPOCH_STAMP


def test_contribution_is_what_a_file_adds() -> None:
    data, records = canonical_zip()
    assert sum(record.contribution_bytes for record in records) + END.size == len(data)
    assert [oct(record.mode) for record in records] == ["0o644", "0o755", "0o644"]


def test_reading_gives_back_what_was_written() -> None:
    stamp = stamp_of(1_700_000_000)
    data, records = canonical_zip(stamp)
    entries, size, offset = read_end_record(data[-END.size :], len(data))
    found = list(read_directory(data[offset : offset + size], entries=entries))
    assert found == [(record, stamp) for record in records]


def patched(at: int, form: str, value: int) -> Callable[[bytes], bytes]:
    def patch(directory: bytes) -> bytes:
        return directory[:at] + struct.pack(form, value) + directory[at + struct.calcsize(form) :]

    return patch


DEVIATIONS: dict[str, Callable[[bytes], bytes]] = {
    "magic": patched(0, "<I", 0x04034B50),
    "made by another system": patched(4, "<H", 0x0014),
    "made by another version": patched(4, "<H", 0x031E),
    "needs zip64": patched(6, "<H", 45),
    "encrypted": patched(8, "<H", 0x0001),
    "data descriptor": patched(8, "<H", 0x0008),
    "utf-8 flag on an ASCII name": patched(8, "<H", 0x0800),
    "bzip2": patched(10, "<H", 12),
    "extra field": patched(30, "<H", 4),
    "comment": patched(32, "<H", 1),
    "another disk": patched(34, "<H", 1),
    "text flag": patched(36, "<H", 1),
    "symlink": patched(38, "<I", 0o120777 << 16),
    "setuid": patched(38, "<I", 0o104755 << 16),
    "world-writable": patched(38, "<I", 0o100666 << 16),
    "DOS attributes": patched(38, "<I", (0o100644 << 16) | 0x20),
    "longer name": patched(28, "<H", 7),
    "name beyond the end": patched(28, "<H", 0xFFFF),
    "cut in a header": lambda directory: directory[:20],
    "cut in a name": lambda directory: directory[:-1],
    "a byte after the last": lambda directory: directory + b"\0",
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_read_directory_refuses(name: str) -> None:
    record = Record(b"app.py", 8, 1, 2, 3, False, 0)
    directory = central_record(record, EPOCH_STAMP)
    assert list(read_directory(directory, entries=1)) == [(record, EPOCH_STAMP)]
    with pytest.raises(NotCanonicalError):
        list(read_directory(DEVIATIONS[name](directory), entries=1))


def test_read_directory_refuses_another_number_of_entries() -> None:
    directory = central_record(Record(b"a", 0, 0, 0, 0, False, 0), EPOCH_STAMP)
    for entries in (0, 2):
        with pytest.raises(NotCanonicalError):
            list(read_directory(directory, entries=entries))


def test_a_missing_utf8_flag_is_refused() -> None:
    directory = central_record(Record("ä".encode(), 0, 0, 0, 0, False, 0), EPOCH_STAMP)
    with pytest.raises(NotCanonicalError):
        list(read_directory(patched(8, "<H", 0)(directory), entries=1))


@pytest.mark.parametrize("field", range(8))
def test_read_end_record_refuses(field: int) -> None:
    data, _ = canonical_zip()
    values = list(END.unpack(data[-END.size :]))
    values[field] += 1
    with pytest.raises(NotCanonicalError):
        read_end_record(END.pack(*values), len(data))


def test_read_end_record_refuses_other_lengths() -> None:
    data, _ = canonical_zip()
    for tail, file_bytes in ((data[-10:], 10), (data[-22:], len(data) + 1), (data[-23:-1], 99)):
        with pytest.raises(NotCanonicalError):
            read_end_record(tail, file_bytes)


def test_header_sizes_are_those_of_the_format() -> None:
    assert (LOCAL.size, CENTRAL.size, END.size) == (30, 46, 22)
