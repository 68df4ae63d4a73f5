"""What is in a zip: names, modes, digests and order, as the standard library reads it."""

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from packager.errors import CannotBuild

_CHUNK_BYTES = 1 << 20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` raises while it reads what is no whole zip."""


class FileFact(NamedTuple):
    """One file: type and permission bits as in `st_mode`, and the sha256 of its bytes.

    A file whose bytes cannot be read has a sentence instead of a digest.
    """

    mode: int
    sha256: str


class FileMap(NamedTuple):
    """All files of an archive by name, in the archive's order; `repeated` are names used twice."""

    files: Mapping[str, FileFact]
    repeated: tuple[str, ...] = ()


@contextmanager
def reading(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip; raises CannotBuild, naming it, when it is none or cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as error:
        raise CannotBuild(
            f"cannot read `{path}`: {error.strerror or error}", hint="lpack build"
        ) from error
    except BROKEN as error:
        raise CannotBuild(f"`{path}` is no whole zip: {error}", hint="lpack build") from error


def map_of_zip(path: Path) -> FileMap:
    """Read every byte of the zip at `path`; raises CannotBuild when it is none."""
    files: dict[str, FileFact] = {}
    repeated = []
    with reading(path) as archive:
        for entry in archive.infolist():
            if entry.filename in files:
                repeated.append(entry.filename)
            files[entry.filename] = FileFact(mode_of(entry), _digest(archive, entry))
    return FileMap(files, tuple(repeated))


def mode_of(entry: zipfile.ZipInfo) -> int:
    """Return the Unix mode in a member's attributes (APPNOTE 4.4.15, as Info-ZIP uses it)."""
    return entry.external_attr >> 16


def member_of(name: str, mode: int) -> zipfile.ZipInfo:
    """Return what `zipfile` writes a stored member with this name and mode from."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = mode << 16
    return entry


def regular(*, executable: bool) -> int:
    """Return the mode of a file in every artifact: 0755 or 0644."""
    return stat.S_IFREG | (0o755 if executable else 0o644)


def _digest(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    try:
        with archive.open(entry) as member:
            while piece := member.read(_CHUNK_BYTES):
                digest.update(piece)
    except BROKEN as error:
        return f"unreadable ({error})"
    return digest.hexdigest()
