"""A root file system, a folder or a tar, becomes the one layer of a base. Deterministic.

Of a folder, owners become root, dates are given, names sorted; devices and sockets stay out. A
tar keeps its bytes and is only compressed, and one that is gzipped stays as it is.
"""

import bz2
import hashlib
import lzma
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from packager.errors import LpackError
from packager.model.gzip_members import small_member

_MEMBER_BYTES = 8 << 20
_CHUNK = 1 << 20
_TAR_MAGIC_OFFSET = 257


def files_key(path: Path) -> str:
    """Return a digest of what `path` is now, by sizes and dates: packing it is slow."""
    digest = hashlib.sha256()
    for name, facts in _walk(path):
        words = (name, facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        digest.update(("\0".join(map(str, words)) + "\n").encode(errors="surrogateescape"))
    return digest.hexdigest()


def pack_files(
    path: Path,
    write: Callable[[bytes], object],
    *,
    modified_seconds: int,
    refusal: type[LpackError],
) -> None:
    """Write the layer of the root file system at `path`; raises `refusal`."""
    try:
        if path.is_dir():
            _pack_folder(path, write, modified_seconds)
        else:
            _pack_tar(path, write, refusal=refusal)
    except OSError as error:
        reason = error.strerror or str(error)
        raise refusal(f"cannot read the root file system `{path}`: {reason}") from error
    except (EOFError, lzma.LZMAError, zlib.error, UnicodeError) as error:
        raise refusal(
            f"`{path}` is no tar: {error}", hint="give a .tar, .tar.gz or a folder"
        ) from error


def _walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every path below `root` with its facts, folders before what is in them."""
    if not root.is_dir():
        yield root.name, root.stat()
        return
    for parent, folders, files in os.walk(root):
        folders.sort()
        for name in sorted([*folders, *files]):
            place = os.path.join(parent, name)  # noqa: PTH118 -- tens of thousands of paths
            yield os.path.relpath(place, root), os.lstat(place)


class _Members:
    """Takes a stream and hands it on as gzip members of 8 MiB."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= _MEMBER_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        if self._waiting_bytes:
            self._write(small_member(b"".join(self._pieces)))
            self._pieces, self._waiting_bytes = [], 0


def _pack_folder(root: Path, write: Callable[[bytes], object], modified_seconds: int) -> None:
    members = _Members(write)
    with tarfile.open(fileobj=members, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]  # a stream needs no more than write
        for name, facts in _walk(root):
            entry = tarfile.TarInfo(name)
            entry.mode = stat.S_IMODE(facts.st_mode)
            entry.mtime = modified_seconds
            if stat.S_ISDIR(facts.st_mode):
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            elif stat.S_ISLNK(facts.st_mode):
                entry.type, entry.linkname = tarfile.SYMTYPE, str((root / name).readlink())
                archive.addfile(entry)
            elif stat.S_ISREG(facts.st_mode):
                entry.size = facts.st_size
                with (root / name).open("rb") as file:
                    archive.addfile(entry, file)
    members.flush()


def _pack_tar(path: Path, write: Callable[[bytes], object], *, refusal: type[LpackError]) -> None:
    with path.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        if head.startswith(b"\x1f\x8b"):
            for chunk in iter(lambda: file.read(_CHUNK), b""):
                write(chunk)
            return
        form = {b"\xfd7zXZ\x00": lzma.LZMAFile, b"BZh": bz2.BZ2File}
        opened = next((opens for magic, opens in form.items() if head.startswith(magic)), None)
        with opened(file) if opened is not None else file as tar:
            _pack_stream(tar, path, write, refusal=refusal)


def _pack_stream(
    tar: BinaryIO | lzma.LZMAFile | bz2.BZ2File,
    path: Path,
    write: Callable[[bytes], object],
    *,
    refusal: type[LpackError],
) -> None:
    piece = tar.read(_MEMBER_BYTES)
    if piece[_TAR_MAGIC_OFFSET : _TAR_MAGIC_OFFSET + 5] != b"ustar":
        hint = "give an image layout, a .tar or .tar.gz, or a folder"
        raise refusal(f"`{path}` is neither a root file system nor an image", hint=hint)
    while piece:
        write(small_member(piece))
        piece = tar.read(_MEMBER_BYTES)
