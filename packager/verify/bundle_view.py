"""The files of an artifact as the checks see them: from a zip, or from an unpacked folder."""

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from packager.errors import CannotBuild, UsageError
from packager.model.target import Target

_UNIX = 3
_ZIP_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
"""What zipfile raises for damage, encryption and unknown compression; all say the same here."""


class BundleFile(NamedTuple):
    """One file as it will lie below /var/task.

    `name` has forward slashes; a layer's begins with `/opt/`. `mode` are the file type and
    permission bits of its unix mode, or None where the archive has none (a zip written on
    Windows). `read(limit_bytes)` returns the file's first bytes, all of them without a limit; it
    raises OSError for what cannot be read.
    """

    name: str
    mode: int | None
    uncompressed_bytes: int
    read: Callable[..., bytes]


BundleView = Sequence[BundleFile]
"""All files of one artifact, in its order; directories are not listed."""


@contextmanager
def zip_view(path: Path, *, at: str = "") -> Iterator[BundleView]:
    """Show the files of the zip at `path`, whoever wrote it; readable while this is open.

    `at` is the folder it is unpacked in, `/opt/` for a layer and empty for the function itself.
    Raises UsageError when it is no zip, and CannotBuild when it cannot be read.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise CannotBuild(f"cannot read `{path}`: {error.strerror}") from error
    except (*_ZIP_DAMAGE, ValueError) as error:
        raise UsageError(f"`{path}` is not a zip: {error}", hint="lpack build") from error
    with archive:
        yield [
            BundleFile(
                name=at + entry.filename,
                mode=entry.external_attr >> 16 if entry.create_system == _UNIX else None,
                uncompressed_bytes=entry.file_size,
                read=partial(_read_member, archive, entry),
            )
            for entry in archive.infolist()
            if not entry.is_dir()
        ]


def folder_view(folder: Path) -> BundleView:
    """Show the files below `folder`, an artifact that was unpacked."""
    found: list[BundleFile] = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted([*names, *linked]):
            path = Path(parent, name)
            facts = path.lstat()
            found.append(
                BundleFile(
                    name=path.relative_to(folder).as_posix(),
                    mode=facts.st_mode,
                    uncompressed_bytes=facts.st_size,
                    read=partial(_read_file, path),
                )
            )
    return found


def importable(view: BundleView, target: Target) -> BundleView:
    """Show the files as Python sees them from the folders of `sys.path`; the rest is left out.

    Those are /var/task and the two folders of layers (Lambda Developer Guide, packaging-layers).
    """
    folders = [f"{folder}/" for folder in target.sys_path if folder.startswith("/opt/")]
    seen = []
    for file in view:
        if not file.name.startswith("/"):
            seen.append(file)
            continue
        folder = next((each for each in folders if file.name.startswith(each)), None)
        if folder is not None:
            seen.append(file._replace(name=file.name.removeprefix(folder)))
    return seen


def is_symlink(file: BundleFile) -> bool:
    """Tell whether the file is a symbolic link."""
    return file.mode is not None and stat.S_ISLNK(file.mode)


def _read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit_bytes: int = -1) -> bytes:
    try:
        with archive.open(entry) as stream:
            return stream.read(limit_bytes)
    except _ZIP_DAMAGE as error:
        raise OSError(f"{error}") from error


def _read_file(path: Path, limit_bytes: int = -1) -> bytes:
    with path.open("rb") as stream:
        return stream.read(limit_bytes)
