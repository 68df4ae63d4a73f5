"""The archives that an artifact carries or names: those of `offload` and of `slim = "traced"`."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

from packager.errors import CannotBuild
from packager.reference.file_map import BROKEN, mode_of


class Inside(NamedTuple):
    """A regular file in an archive: its mode with the type, and its bytes."""

    mode: int
    data: bytes


def read_archive(name: str, data: bytes) -> Mapping[str, Inside]:
    """Return the regular files of the archive `name`; its ending tells what it is.

    Raises CannotBuild when it is damaged.
    """
    try:
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return {
                    each.filename: Inside(mode_of(each), archive.read(each))
                    for each in archive.infolist()
                }
        return _read_tar(_zstd().decompress(data) if name.endswith(".zst") else data)
    except (*BROKEN, tarfile.TarError, OSError) as error:
        raise CannotBuild(
            f"the archive `{name}` is damaged: {error}", hint="lpack build"
        ) from error


def _read_tar(data: bytes) -> dict[str, Inside]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for entry in archive:
            source = archive.extractfile(entry) if entry.isreg() else None
            if source is not None:
                found[entry.name] = Inside(0o100000 | entry.mode, source.read())
        return found


def _zstd() -> Any:  # noqa: ANN401 -- one of two modules with the same contents
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415
    except ImportError:
        from backports import zstd  # noqa: PLC0415 -- likewise
    return zstd
