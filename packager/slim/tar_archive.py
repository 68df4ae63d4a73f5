"""Pack files of payloads into a compressed tar, so that like lies beside like.

The bytes depend on the versions of liblzma and libzstd, which belong into manifests.
"""

import io
import lzma
import tarfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import IO, Any, Literal, NamedTuple

from packager.slim.traced import is_library

TarCodec = Literal["xz", "zstd"]

_XZ_PRESET = 6
_ZSTD_LEVEL = 19
_MACHINE = slice(18, 20)
_X86_64 = b"\x3e\x00"


class TarFile(NamedTuple):
    """One file to pack: its name, mode, and what returns its contents."""

    name: str
    mode: int
    contents: Callable[[], bytes]


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
            data = file.contents()
            member = tarfile.TarInfo(file.name)
            member.size = len(data)
            member.mode = file.mode
            archive.addfile(member, io.BytesIO(data))
        for name in links:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, name
            archive.addfile(link)


def tar_maker(codec: TarCodec) -> str:
    """Name the encoder and what decides its bytes, for manifests and store keys."""
    if codec == "xz":
        return f"archives by liblzma, preset {_XZ_PRESET}"
    zstd = _zstd()
    return f"archives by libzstd {zstd.zstd_version}, level {_ZSTD_LEVEL}"


def _compressor(output: IO[bytes], files: Sequence[TarFile], codec: TarCodec) -> Any:  # noqa: ANN401 -- a file of lzma or of zstd
    if codec == "zstd":
        return _zstd().ZstdFile(output, "w", level=_ZSTD_LEVEL)
    chain: list[dict[str, int]] = [{"id": lzma.FILTER_LZMA2, "preset": _XZ_PRESET}]
    first_library = next((file for file in files if is_library(file.name)), None)
    if first_library and first_library.contents()[_MACHINE] == _X86_64:
        chain.insert(0, {"id": lzma.FILTER_X86})
    return lzma.LZMAFile(output, "w", check=lzma.CHECK_CRC32, filters=chain)


def _zstd() -> Any:  # noqa: ANN401 -- one of two modules with the same contents
    """Return Python 3.14's own module, or the one that is the same for earlier versions."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415
    except ImportError:
        from backports import zstd  # noqa: PLC0415 -- likewise
    return zstd
