"""Headers of tars are those that the standard library writes."""

import tarfile

from hypothesis import given
from hypothesis import strategies as st

from packager.assemble.tar_stream import file_header, folder_header

NAMES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=40),
    st.lists(st.from_regex(r"[a-z_0-9.]{1,60}", fullmatch=True), min_size=1, max_size=6).map(
        "/".join
    ),
    st.integers(95, 104).map("n".__mul__),
)


def by_the_standard_library(entry: tarfile.TarInfo) -> bytes:
    try:
        return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    except (ValueError, UnicodeEncodeError):
        return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


@given(
    name=NAMES,
    length=st.one_of(st.integers(0, 1 << 20), st.integers(8**11 - 2, 8**11 + 2)),
    executable=st.booleans(),
    seconds=st.integers(0, 8**11 - 1),
)
def test_files(name: str, length: int, executable: bool, seconds: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = length, seconds
    entry.mode = 0o755 if executable else 0o644
    assert file_header(
        name, uncompressed_bytes=length, executable=executable, modified_seconds=seconds
    ) == by_the_standard_library(entry)


@given(name=NAMES, seconds=st.integers(0, 8**11 - 1))
def test_folders(name: str, seconds: int) -> None:
    entry = tarfile.TarInfo(name + "/")
    entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, seconds
    assert folder_header(name, modified_seconds=seconds) == by_the_standard_library(entry)
