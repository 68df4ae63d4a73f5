import os
from pathlib import Path

import pytest
from support.raw_zip import RawMember, write_zip

from packager.wheels.zip_end import End, MalformedZip, read_end

MEMBER = RawMember(name="a", data=b"1", method=0)
LOCAL_BYTES, CENTRAL_BYTES = 30 + 2, 46 + 1


def read(folder: Path, data: bytes) -> End:
    path = folder / "x.zip"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return read_end(descriptor, len(data))
    finally:
        os.close(descriptor)


def test_only_nul_bytes_may_follow_the_end_record(tmp_path: Path) -> None:
    whole = write_zip([MEMBER], comment=b"built with care")
    for value in range(256):
        for behind in (bytes([value]), bytes([0, value]), bytes([value, 0])):
            if value:
                with pytest.raises(MalformedZip, match=r"^bytes follow its end record$"):
                    read(tmp_path, whole + behind)
            else:
                assert read(tmp_path, whole + behind).trailing_nul_bytes == len(behind)


@pytest.mark.parametrize("comment_bytes", [0, 1, 0xFFFF])
@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("trailing", [0, 1, 0xFFFF])
def test_the_farthest_end_record_is_found(
    tmp_path: Path, comment_bytes: int, zip64: bool, trailing: int
) -> None:
    data = write_zip([MEMBER], comment=b"c" * comment_bytes, trailing=bytes(trailing), zip64=zip64)
    assert read(tmp_path, data) == End(
        member_count=1,
        directory_bytes=CENTRAL_BYTES,
        directory_offset=LOCAL_BYTES,
        end=LOCAL_BYTES + CENTRAL_BYTES,
        trailing_nul_bytes=trailing,
    )


def test_an_end_record_farther_away_is_not_looked_for(tmp_path: Path) -> None:
    data = write_zip([MEMBER], trailing=bytes(2 * 0x10000))
    assert read(tmp_path, data).trailing_nul_bytes == 2 * 0x10000
    with pytest.raises(MalformedZip, match=r"^it is not a zip file, or it is cut off$"):
        read(tmp_path, data + b"\0")


@pytest.mark.parametrize("field", ["here", "total", "disk", "start_disk"])
def test_no_volumes(tmp_path: Path, field: str) -> None:
    for value in (2, 0xFFFF):
        with pytest.raises(MalformedZip, match=r"^it is one of several volumes$"):
            read(tmp_path, write_zip([MEMBER], zip64=True, end={field: value}))


@pytest.mark.parametrize("field", ["directory_bytes", "directory_offset"])
def test_a_zip64_record_stands_for_one_sentinel(tmp_path: Path, field: str) -> None:
    whole = read(tmp_path, write_zip([MEMBER]))
    sentinel = {field: 0xFFFFFFFF}
    assert read(tmp_path, write_zip([MEMBER], zip64=True, end=sentinel)) == whole
    with pytest.raises(MalformedZip, match=r"^its end record points to zip64 records that are"):
        read(tmp_path, write_zip([MEMBER], end=sentinel))


@pytest.mark.parametrize(
    ("end64", "reason"),
    [
        ({"disk": 1}, "is malformed"),
        ({"start_disk": 1}, "is malformed"),
        ({"length": 43}, "is malformed"),
        ({"length": 45}, "is malformed"),
        ({"here": 2, "total": 2}, "contradicts its end record"),
        ({"total": 0xFFFF}, "contradicts its end record"),
        ({"directory_bytes": 0xFFFFFFFF}, "contradicts its end record"),
        ({"directory_offset": 0xFFFFFFFF}, "contradicts its end record"),
    ],
)
def test_a_zip64_record_that_lies(tmp_path: Path, end64: dict[str, int], reason: str) -> None:
    with pytest.raises(MalformedZip, match=f"^its zip64 end record {reason}$"):
        read(tmp_path, write_zip([MEMBER], zip64=True, end64=end64))


@pytest.mark.parametrize(
    "end64",
    [
        {"locator_disk": 1},
        {"disks": 0},
        {"disks": 2},
        {"locator_offset": 78},
        {"locator_offset": 80},
    ],
)
def test_a_zip64_locator_that_lies(tmp_path: Path, end64: dict[str, int]) -> None:
    with pytest.raises(MalformedZip, match=r"^its zip64 locator does not point at the record"):
        read(tmp_path, write_zip([MEMBER], zip64=True, end64=end64))
