"""Lays an image's layers on each other: what is left of every file, and in which layer it is.

Source: OCI image-spec 1.1, layer.md: `.wh.NAME` removes NAME of the layers below, `.wh..wh..opq`
everything of its folder. Memory holds names and a few small files, never a layer.
"""

import gzip
import importlib
import io
import posixpath
import sys
import tarfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from packager.inspect.image_source import ImageSource, Parts

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_MOST_FILES = 2_000_000
_LARGEST_LAYER_BYTES = 20 << 30
"""Twice the 10 GiB that Lambda accepts of a whole image."""
_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 64
_LARGEST_KEPT_BYTES = 2 << 20
_KEPT_FOLDERS = (".dist-info", ".egg-info")
_KEPT_NAMES = frozenset(
    {"__about__.py", "__init__.py", "__version__.py", "_version.py", "package_data.py"}
    | {"version.py"}
)
_ZSTD_MODULE = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class LayerFile(NamedTuple):
    """One file as the last layer that has it states it.

    `offset` is where its bytes begin in the layer's uncompressed tar. `kept` are its first bytes,
    all of them when `whole`; None for files of the base.
    """

    layer: int
    offset: int
    uncompressed_bytes: int
    mode: int
    dated: int
    crc32: int | None
    kept: bytes | None
    whole: bool


def read_layers(
    parts: Parts, source: ImageSource, *, wanted: "WantedFiles"
) -> dict[str, LayerFile]:
    """Return every regular file of the image by its path without a slash in front.

    `wanted` tells which files are read (their CRC and first bytes); all others are passed over.
    Raises UsageError for a layer that cannot be read.
    """
    files: dict[str, LayerFile] = {}
    for number, layer in enumerate(source.layers):
        try:
            with parts.open(layer.name) as blob:
                _apply(files, number, uncompressed(blob), wanted)
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            reason = f"the layer `{layer.digest}` is damaged ({error})"
            raise parts.broken(reason) from error
        except (ValueError, OverflowError, MemoryError) as error:
            raise parts.broken(f"the layer `{layer.digest}` is no tar") from error
        if len(files) > _MOST_FILES:
            raise parts.broken(f"it has more than {_MOST_FILES:,} files")
    return files


def uncompressed(blob: BinaryIO) -> BinaryIO:
    """Return the tar in `blob`, told by its first bytes: gzip, zstd or plain."""
    head = blob.read(4)
    blob.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=blob))
    if head == _ZSTD_MAGIC:
        return cast("BinaryIO", _ZstdStream(blob))
    return blob


class _ZstdStream(io.RawIOBase):
    """What a zstd stream holds; a damaged one raises OSError, as gzip's does."""

    def __init__(self, blob: BinaryIO) -> None:
        self._zstd = importlib.import_module(_ZSTD_MODULE)
        self._stream = self._zstd.ZstdFile(blob)

    def read(self, count: int = -1) -> bytes:
        try:
            return cast("bytes", self._stream.read(count))
        except self._zstd.ZstdError as error:
            raise OSError(str(error)) from error


class WantedFiles:
    """Tells the files that a function brings along from those of the base.

    `prefixes` are folders with a slash at their end; files below any `site-packages` count too.
    """

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        """Remember the folders."""
        self._prefixes = prefixes

    def __contains__(self, path: str) -> bool:
        """Tell whether `path` is the function's."""
        return path.startswith(self._prefixes) or any(
            f"/{folder}/" in path for folder in ("site-packages", "dist-packages")
        )


def _apply(files: dict[str, LayerFile], number: int, stream: BinaryIO, wanted: WantedFiles) -> None:
    """Lay one layer over `files`."""
    added: dict[str, LayerFile] = {}
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if member.offset > _LARGEST_LAYER_BYTES:
                raise ValueError(member.offset)
            path = posixpath.normpath("/" + member.name.lstrip("/"))[1:]
            folder, _, name = path.rpartition("/")
            if name == _OPAQUE:
                _remove(files, folder)
            elif name.startswith(_WHITEOUT):
                _remove(files, posixpath.join(folder, name.removeprefix(_WHITEOUT)))
            elif member.isreg():
                added[path] = _file(tar, member, number, path, wanted)
            elif not member.isdir():
                # A link or device takes the place of a file; a hard link adds no bytes.
                files.pop(path, None)
    files.update(added)


def _remove(files: dict[str, LayerFile], path: str) -> None:
    below = f"{path}/" if path else ""
    for gone in [name for name in files if name == path or name.startswith(below)]:
        del files[gone]


def _file(
    tar: tarfile.TarFile, member: tarfile.TarInfo, number: int, path: str, wanted: WantedFiles
) -> LayerFile:
    kept, crc32, whole = None, None, False
    if path in wanted:
        keep = member.size if _is_kept(path, member.size) else _HEAD_BYTES
        kept, crc32 = b"", 0
        for data in _chunks(tar, member):
            crc32 = zlib.crc32(data, crc32)
            kept += data[: max(0, keep - len(kept))]
        whole = len(kept) == member.size
    return LayerFile(
        number, member.offset_data, member.size, member.mode, int(member.mtime), crc32, kept, whole
    )


def _is_kept(path: str, size: int) -> bool:
    folder, _, name = path.rpartition("/")
    known = name in _KEPT_NAMES or folder.endswith(_KEPT_FOLDERS)
    return known and size <= _LARGEST_KEPT_BYTES


def _chunks(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    stream = tar.extractfile(member)
    while stream is not None and (data := stream.read(_CHUNK_BYTES)):
        yield data
