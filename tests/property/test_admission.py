"""A wheel with a random lie is refused, or read the same as by zipfile: never a third way."""

import io
import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.demo_wheel import FILE_NAME, TEXT, describing_members, good
from support.intensity import examples
from support.raw_zip import write_zip

from packager.errors import WheelRefused
from packager.wheels.admission import admit

MEMBERS = [good(), *describing_members({"demo/__init__.py": TEXT})]
PLAIN = write_zip(MEMBERS)
NUMBERS = ("flags", "method", "crc32", "compressed", "uncompressed")
SMALL = {
    "flags",
    "method",
    "disk",
    "made_by",
    "version",
    "here",
    "total",
    "start_disk",
    "comment_bytes",
}
INTERESTING = [0, 1, 2, 7, 8, 0x800, 200, 0xFFFE, 0xFFFF]
QUICK = settings(
    max_examples=examples(250),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)


def numbers(field: str) -> st.SearchStrategy[int]:
    top = 0xFFFF if field in SMALL else 0xFFFFFFFF
    return st.sampled_from(INTERESTING) | st.integers(0, top) | st.just(top)


def judge(data: bytes) -> None:
    """Demand that admission refuses `data` or agrees with zipfile about every member."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        try:
            wheel = admit(Path(file.name), sha256="0" * 64, filename=FILE_NAME)
        except WheelRefused:
            return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
        assert [member.name for member in wheel.members] == names
        for member in wheel.members:
            stream = data[member.data_offset :][: member.compressed_bytes]
            plain = zlib.decompress(stream, -15) if member.method else stream
            assert plain == archive.read(member.name)
            assert len(plain) == member.uncompressed_bytes
            assert zlib.crc32(plain) == member.crc32


@QUICK
@given(st.data())
def test_a_lie_in_a_header(data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(MEMBERS) - 1))
    side = data.draw(st.sampled_from(["both", "central", "local"]))
    fields = (
        NUMBERS
        if side == "local"
        else (*NUMBERS, "disk", "attributes", "offset", "made_by", "version")
    )
    field = data.draw(st.sampled_from(fields))
    lie = {field: data.draw(numbers(field))}
    members = list(MEMBERS)
    members[where] = {
        "both": replace(members[where], both=lie),
        "central": replace(members[where], central=lie),
        "local": replace(members[where], local=lie),
    }[side]
    judge(write_zip(members))


@QUICK
@given(st.data())
def test_a_lie_in_the_end_record(data: st.DataObject) -> None:
    fields = ("disk", "start_disk", "here", "total", "directory_bytes", "directory_offset")
    field = data.draw(st.sampled_from((*fields, "comment_bytes")))
    value = data.draw(numbers(field))
    judge(write_zip(MEMBERS, end={field: value}, zip64=data.draw(st.booleans())))


@QUICK
@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255))
def test_one_byte_changed_anywhere(position: int, value: int) -> None:
    judge(PLAIN[:position] + bytes([value]) + PLAIN[position + 1 :])


@QUICK
@given(st.integers(0, len(PLAIN)), st.integers(0, len(PLAIN)), st.binary(max_size=40))
def test_a_slice_replaced(first: int, second: int, junk: bytes) -> None:
    start, stop = sorted((first, second))
    judge(PLAIN[:start] + junk + PLAIN[stop:])


def test_the_wheel_without_a_lie_is_accepted() -> None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(PLAIN)
        wheel = admit(Path(file.name), sha256="0" * 64, filename=FILE_NAME)
    assert wheel.findings == ()
    assert len(wheel.members) == 4
