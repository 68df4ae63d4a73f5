"""A zip that is open for reading: a function's, a layer's, or a wheel."""

import os
import stat
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from packager.inspect.zip_directory import Directory, Member, printable, read_directory, seconds_of
from packager.model.canonical import DEFLATED, LOCAL, STORED
from packager.model.found import ArtifactKind, Found, FoundFile

_CHUNK_BYTES = 256 << 10
_SPOOLED_BYTES = 4 << 20
"""Larger files go to a temporary file, so that a library of 200 MB takes no memory."""

_ENCRYPTED = 0x0001
_LAYER_TOPS = frozenset({"bin", "extensions", "java", "lib", "nodejs", "python", "ruby"})
"""What Lambda looks for in /opt (Lambda Developer Guide, packaging-layers)."""


class ZipArtifact:
    """An open zip; what is read is checked for its length, the CRC is the verifier's."""

    def __init__(self, descriptor: int, found: Found) -> None:
        """Take over the open descriptor."""
        self.found = found
        self._descriptor = descriptor

    def read(self, file: FoundFile, limit_bytes: int = -1) -> bytes:
        """Return the file's first `limit_bytes` bytes, all of them without a limit."""
        wanted = file.uncompressed_bytes if limit_bytes < 0 else limit_bytes
        parts: list[bytes] = []
        for chunk in self._chunks(file, wanted):
            parts.append(chunk)
            wanted -= len(chunk)
            if wanted <= 0:
                break
        return b"".join(parts)

    def spool(self, file: FoundFile) -> BinaryIO:
        """Return the whole file as a seekable stream."""
        spooled = tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115 -- the caller closes it
        for chunk in self._chunks(file, file.uncompressed_bytes):
            spooled.write(chunk)
        spooled.seek(0)
        return cast("BinaryIO", spooled)

    def _chunks(self, file: FoundFile, wanted: int) -> Iterator[bytes]:
        """Yield at most `wanted` bytes, and never more than the directory states."""
        member = cast("Member", file.place)
        if member.flags & _ENCRYPTED or member.method not in (STORED, DEFLATED):
            raise OSError(f"it is encrypted or of method {member.method}, which Lambda refuses")
        position, rest = self._stream_offset(member), member.compressed_bytes
        inflate = zlib.decompressobj(-15) if member.method == DEFLATED else None
        left = min(wanted, member.uncompressed_bytes)
        while left > 0:
            # A short wish needs a short read: a file's first bytes lie in its stream's first.
            data = os.pread(self._descriptor, min(rest, _CHUNK_BYTES, max(512, 2 * left)), position)
            if not data:
                raise OSError("its stream ends early")
            position, rest = position + len(data), rest - len(data)
            while data and left > 0:
                piece, data = _piece(inflate, data, min(left, _CHUNK_BYTES))
                left -= len(piece)
                yield piece
            if inflate is not None and inflate.eof and left > 0:
                raise OSError("its stream is shorter than stated")

    def _stream_offset(self, member: Member) -> int:
        header = os.pread(self._descriptor, LOCAL.size, member.offset)
        if len(header) != LOCAL.size or not header.startswith(b"PK\x03\x04"):
            raise OSError("it has no local header where the directory says")
        *_, name_bytes, extra_bytes = LOCAL.unpack(header)
        return member.offset + LOCAL.size + int(name_bytes) + int(extra_bytes)


def _piece(inflate: "zlib._Decompress | None", data: bytes, limit: int) -> tuple[bytes, bytes]:
    """Return at most `limit` uncompressed bytes of `data`, and what of it is still to be taken."""
    if inflate is None:
        return data[:limit], b""
    try:
        return inflate.decompress(data, limit), inflate.unconsumed_tail
    except zlib.error as error:
        raise OSError(f"its stream is damaged ({error})") from error


@contextmanager
def open_zip(path: Path, *, kind: ArtifactKind | None = None) -> Iterator[ZipArtifact]:
    """Open the zip at `path`; `kind` is told by its contents when not given.

    Raises UsageError as `read_directory` does; OSError when it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        file_bytes = os.fstat(descriptor).st_size
        directory = read_directory(descriptor, path.name)
        yield ZipArtifact(descriptor, _found(directory, path.name, file_bytes, kind))
    finally:
        os.close(descriptor)


def _found(directory: Directory, name: str, file_bytes: int, kind: ArtifactKind | None) -> Found:
    members = [member for member in directory.members if not member.name.endswith("/")]
    contributions = _contributions(directory)
    files = tuple(
        FoundFile(
            path=member.name,
            uncompressed_bytes=member.uncompressed_bytes,
            compressed_bytes=member.compressed_bytes,
            contribution_bytes=contributions[member.offset],
            crc32=member.crc32,
            mode=member.mode,
            dated=seconds_of(member.stamp),
            place=member,
        )
        for member in members
    )
    return Found(
        kind=kind or _kind(files),
        name=name,
        files=files,
        compressed_bytes=file_bytes,
        overhead_bytes=file_bytes - sum(file.contribution_bytes for file in files),
        oddities=tuple(_oddities(directory, members)),
    )


def _contributions(directory: Directory) -> dict[int, int]:
    """Return by offset what each member occupies, from its local header to the next.

    Its record in the directory counts too. The members tile the file, so that all contributions
    and the end records are the zip.
    """
    ordered = sorted(directory.members, key=lambda member: member.offset)
    ends = [*(member.offset for member in ordered[1:]), directory.offset]
    return {
        member.offset: end - member.offset + member.record_bytes
        for member, end in zip(ordered, ends, strict=True)
    }


def _kind(files: tuple[FoundFile, ...]) -> ArtifactKind:
    tops = {file.path.partition("/")[0] if "/" in file.path else "" for file in files}
    if "python" in tops and tops <= _LAYER_TOPS:
        package = any(file.path == "python/__init__.py" for file in files)
        return "zip" if package else "layer"
    return "zip"


def _oddities(directory: Directory, members: list[Member]) -> Iterator[tuple[str, str, str]]:
    if directory.prefix_bytes:
        yield "prefix", "", f"{directory.prefix_bytes:,} bytes stand in front of the zip"
    counts = Counter(member.name for member in members)
    for name, count in counts.items():
        if count > 1:
            yield "twice", name, f"`{printable(name)}` is in it {count} times: readers differ"
    for member in members:
        shown = printable(member.name)
        if member.flags & _ENCRYPTED:
            yield "encrypted", member.name, f"`{shown}` is encrypted"
        elif member.method not in (STORED, DEFLATED):
            yield "method", member.name, f"`{shown}` is compressed with method {member.method}"
        if stat.S_ISLNK(member.mode):
            yield "symlink", member.name, f"`{shown}` is a symbolic link"
