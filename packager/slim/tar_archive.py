"""Pack files of payloads into a compressed tar, so that like lies beside like.

Files are read while they are packed, and never whole: what takes memory is the compressor, about
twelve times its dictionary. The bytes depend on the versions of liblzma and libzstd, which belong
into manifests.
"""

import io
import lzma
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import IO, Any, Literal, NamedTuple

from packager.slim.payload_reader import PayloadReader
from packager.slim.traced import is_library

TarCodec = Literal["xz", "zstd"]

_XZ_PRESET = 6
# The preset's own 8 MiB take 95 MB of memory; these take 26, for less than 1 % more bytes (0.5 % of
# botocore's data, 0.75 % of pillow's libraries), and for as little in the function's /tmp.
_XZ_DICTIONARY_BYTES = 2 << 20
_ZSTD_LEVEL = 19
_MACHINE = slice(18, 20)
_X86_64 = b"\x3e\x00"


class TarFile(NamedTuple):
    """One file to pack: its name, mode, length in bytes, and what yields its contents."""

    name: str
    mode: int
    length: int
    contents: Callable[[], Iterator[bytes]]


def tar_file(reader: PayloadReader, name: str) -> TarFile:
    """Return the file `name` of a payload, which stays open until it is packed."""
    record = reader.records[name]
    return TarFile(name, record.mode, record.uncompressed_bytes, partial(reader.contents, name))


class _Contents(io.RawIOBase):
    """Chunks as a file to be read from, as tarfile wants it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 -- any writable buffer
        if not self._left:
            self._left = memoryview(next(self._chunks, b""))
        part = self._left[: len(buffer)]
        buffer[: len(part)] = part
        self._left = self._left[len(part) :]
        return len(part)


def pack_tar(
    output: IO[bytes], files: Iterable[TarFile], *, codec: TarCodec, links: Sequence[str] = ()
) -> None:
    """Write a compressed tar of `files`, ordered by kind, and of `links` to their own names."""
    ordered = sorted(
        files, key=lambda file: (is_library(file.name), file.name.rpartition(".")[2], file.name)
    )
    with (
        closing(_compressor(output, ordered, codec)) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        for file in ordered:
            member = tarfile.TarInfo(file.name)
            member.size = file.length
            member.mode = file.mode
            archive.addfile(member, io.BufferedReader(_Contents(file.contents())))
        for name in links:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, name
            archive.addfile(link)


def tar_maker(codec: TarCodec) -> str:
    """Name the encoder and what decides its bytes, for manifests and store keys."""
    if codec == "xz":
        mib = _XZ_DICTIONARY_BYTES >> 20
        return f"archives by liblzma, preset {_XZ_PRESET}, dictionary {mib} MiB"
    zstd = _zstd()
    return f"archives by libzstd {zstd.zstd_version}, level {_ZSTD_LEVEL}"


def _compressor(output: IO[bytes], files: Sequence[TarFile], codec: TarCodec) -> Any:  # noqa: ANN401 -- a file of lzma or of zstd
    if codec == "zstd":
        return _zstd().ZstdFile(output, "w", level=_ZSTD_LEVEL)
    lzma2 = {"id": lzma.FILTER_LZMA2, "preset": _XZ_PRESET, "dict_size": _XZ_DICTIONARY_BYTES}
    chain: list[dict[str, int]] = [lzma2]
    first_library = next((file for file in files if is_library(file.name)), None)
    if first_library and next(first_library.contents(), b"")[_MACHINE] == _X86_64:
        chain.insert(0, {"id": lzma.FILTER_X86})
    return lzma.LZMAFile(output, "w", check=lzma.CHECK_CRC32, filters=chain)


def _zstd() -> Any:  # noqa: ANN401 -- one of two modules with the same contents
    """Return Python 3.14's own module, or the one that is the same for earlier versions."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415
    except ImportError:
        from backports import zstd  # noqa: PLC0415 -- likewise
    return zstd
