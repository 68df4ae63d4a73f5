import os
import zlib
from pathlib import Path

import pytest
from support.assembling import code_file

from packager.assemble.code_file import write_code_file
from packager.errors import CannotBuild
from packager.model.canonical import EPOCH_STAMP, local_header
from packager.model.deflating import STREAM_ABOVE_BYTES


def read(path: Path, name: str = "app.py") -> bytes:
    out: list[bytes] = []
    record = write_code_file(code_file(path, name), out.append, offset=7, stamp=EPOCH_STAMP)
    header, body = out[0], b"".join(out[1:])
    assert header == local_header(record, EPOCH_STAMP)
    assert (record.offset, record.compressed_bytes) == (7, len(body))
    data = zlib.decompress(body, -15) if record.method == 8 else body
    assert (record.uncompressed_bytes, record.crc32) == (len(data), zlib.crc32(data))
    return data


@pytest.mark.parametrize(
    ("data", "method"), [(b"", 0), (b"x", 0), (os.urandom(500), 0), (b"a" * 500, 8)]
)
def test_small_files(tmp_path: Path, data: bytes, method: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(data)
    assert read(path) == data
    record = write_code_file(code_file(path, "f"), lambda _: None, offset=0, stamp=EPOCH_STAMP)
    assert record.method == method


def test_a_file_above_the_buffer_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    with path.open("wb") as file:
        file.write(b"head")
        file.seek(STREAM_ABOVE_BYTES)
        file.write(b"tail")
    assert read(path, "model.bin") == path.read_bytes()


def complaint(source_path: Path, change: str) -> str:
    source = code_file(source_path, "pkg/app.py")
    match change:
        case "content":
            source_path.write_bytes(b"VALUE = 2\n")
        case "content with the old date":
            before = source_path.stat()
            source_path.write_bytes(b"VALUE = 2\n")
            os.utime(source_path, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "replaced":
            other = source_path.with_name("other")
            other.write_bytes(source_path.read_bytes())
            other.replace(source_path)
        case "removed":
            source_path.unlink()
        case "became a link":
            source_path.rename(source_path.with_name("real"))
            source_path.symlink_to("real")
        case "became a folder":
            source_path.unlink()
            source_path.mkdir()
    with pytest.raises(CannotBuild) as caught:
        write_code_file(source, lambda _: None, offset=0, stamp=EPOCH_STAMP)
    return caught.value.message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("content", "`pkg/app.py` changed while it was read"),
        ("content with the old date", "`pkg/app.py` changed while it was read"),
        ("replaced", "`pkg/app.py` changed while it was read"),
        ("removed", "cannot read `pkg/app.py`: No such file or directory"),
        ("became a link", "cannot read `pkg/app.py`: Too many levels of symbolic links"),
        ("became a folder", "`pkg/app.py` changed while it was read"),
    ],
)
def test_a_file_that_is_not_as_it_was_listed(tmp_path: Path, change: str, message: str) -> None:
    path = tmp_path / "app.py"
    path.write_bytes(b"VALUE = 1\n")
    assert complaint(path, change) == message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(CannotBuild, match=r"cannot read `app\.py`: Permission denied"):
        read(path)


@pytest.mark.parametrize("large", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("change", ["same size", "longer", "shorter"])
def test_a_file_that_changes_under_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, large: bool
) -> None:
    path = tmp_path / "app.py"
    with path.open("wb") as file:
        file.write(b"old" * 100)
        file.truncate(STREAM_ABOVE_BYTES + 1 if large else 300)
    source = code_file(path, "app.py")
    read_bytes = os.read
    reads: list[int] = []

    def read_and_change(descriptor: int, amount: int) -> bytes:
        data = read_bytes(descriptor, amount)
        if not reads:
            with path.open("r+b") as file:
                if change == "same size":
                    file.write(b"new")
                else:
                    file.truncate(source.identity[0] + (1 if change == "longer" else -1))
        reads.append(len(data))
        return data

    monkeypatch.setattr(os, "read", read_and_change)
    with pytest.raises(CannotBuild, match="changed while it was read"):
        write_code_file(source, lambda _: None, offset=0, stamp=EPOCH_STAMP)
    assert reads
