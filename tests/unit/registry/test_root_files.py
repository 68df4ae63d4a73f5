"""A root file system becomes a layer: any form of it, deterministically."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.image_layout import layer_tar

from packager.errors import CannotBuild
from packager.registry.root_files import files_key, pack_files


def packed(path: Path, *, date: int = 0) -> bytes:
    out = io.BytesIO()
    pack_files(path, out.write, modified_seconds=date, refusal=CannotBuild)
    return out.getvalue()


def fill(root: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin/tool").write_bytes(b"#!" * 3000)
    (root / "bin/tool").chmod(0o4755)
    (root / "lib").symlink_to("bin")
    (root / "größe").write_text("x")
    return root


def test_a_folder(tmp_path: Path) -> None:
    root = fill(tmp_path / "a")
    os.mkfifo(root / "pipe")
    data = packed(root, date=7)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        seen = {entry.name: entry for entry in tar}
        assert list(seen) == ["bin", "größe", "lib", "bin/tool"]
        assert {(e.uid, e.gid, e.uname, e.mtime) for e in seen.values()} == {(0, 0, "", 7)}
        assert seen["bin/tool"].mode == 0o4755
        assert seen["lib"].linkname == "bin"
        tool = tar.extractfile("bin/tool")
        assert tool is not None
        assert tool.read() == b"#!" * 3000


def test_equal_folders_are_equal_layers(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "one"), fill(tmp_path / "two")
    os.utime(two / "bin/tool", (5, 5))
    assert packed(one) == packed(two)


@pytest.mark.parametrize("squeeze", [bytes, lzma.compress, bz2.compress, gzip.compress])
def test_a_tar_keeps_its_bytes(tmp_path: Path, squeeze: Callable[[bytes], bytes]) -> None:
    tar = layer_tar({"bin/tool": bytes(range(256)) * 50})
    path = tmp_path / "root.tar"
    path.write_bytes(squeeze(tar))
    assert gzip.decompress(packed(path)) == tar
    if squeeze is gzip.compress:
        assert packed(path) == path.read_bytes()


@pytest.mark.parametrize("content", [b"", b"something else", b"\xfd7zXZ\x00junk", b"BZhjunk"])
def test_what_is_no_root_file_system(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "root.tar"
    path.write_bytes(content)
    with pytest.raises(CannotBuild) as caught:
        packed(path)
    assert caught.value.hint or "cannot read" in caught.value.message


def test_a_change_is_noticed(tmp_path: Path) -> None:
    root = fill(tmp_path / "a")
    before = files_key(root)
    assert files_key(root) == before
    (root / "bin/tool").write_bytes(b"#?" * 3000)
    assert files_key(root) != before
