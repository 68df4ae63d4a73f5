"""Unpacking a zip as Lambda does: only files, below one folder, dated 1980, not writable."""

import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from packager.errors import CannotBuild

FILE_DATE = 315_532_800
"""1980-01-01, the date of every file in Lambda's task folder here, in seconds."""

_CHUNK = 1 << 20
_READ_ONLY = 0o555
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)

Placing = Callable[[str], str | None]


def unpack(
    archive: Path, folder: Path, *, place: Placing | None = None, overwrite: bool = False
) -> frozenset[str]:
    """Unpack `archive` into `folder` and return the names of the files, with forward slashes.

    `place` maps a name in the archive to the name in the folder, None to leave it out. With
    `overwrite`, files that were there before are replaced. Raises CannotBuild for a broken
    archive, a name that leads out of the folder, a symbolic link, two files of one name, or a
    full disk.
    """
    names: set[str] = set()
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                name = place(entry.filename) if place is not None else entry.filename
                if name is None or entry.is_dir():
                    continue
                _check(entry, name, archive)
                if overwrite and name not in names:
                    (folder / name).unlink(missing_ok=True)
                _write(opened, entry, folder / name)
                names.add(name)
    except FileExistsError as error:
        raise _refusal(archive, f"`{error.filename}` is in it twice") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _refusal(archive, str(error)) from error
    except OSError as error:
        raise CannotBuild(
            f"cannot unpack `{archive.name}` into `{folder}`: {error.strerror or error}",
            hint="free some space, or set TMPDIR=DIR to use another disk",
        ) from error
    return frozenset(names)


def make_read_only(folder: Path) -> None:
    """Take the right to write from everything below `folder`; root keeps it all the same."""
    for parent, folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(parent, name)  # noqa: PTH118 -- thousands of files
            os.chmod(path, os.stat(path).st_mode & _READ_ONLY)  # noqa: PTH101, PTH116 -- likewise
        for name in folders:
            os.chmod(os.path.join(parent, name), _READ_ONLY)  # noqa: PTH101, PTH118 -- likewise
    folder.chmod(_READ_ONLY)


def changes_below(folder: Path, expected: frozenset[str]) -> tuple[str, ...]:
    """Return the files below `folder` that are new, changed or gone since it was unpacked.

    Bytecode caches do not count: Python tries to write them and goes on when it cannot.
    """
    found: set[str] = set()
    changed: set[str] = set()
    for parent, folders, files in os.walk(folder):
        if "__pycache__" in folders and not _shipped_below(folder, parent, expected):
            folders.remove("__pycache__")
        for name in files:
            path = os.path.join(parent, name)  # noqa: PTH118 -- thousands of files
            shown = os.path.relpath(path, folder).replace(os.sep, "/")
            found.add(shown)
            if os.lstat(path).st_mtime != FILE_DATE:
                changed.add(shown)
    return tuple(sorted(changed | (found - expected) | (expected - found)))


def remove_tree(folder: Path) -> None:
    """Remove `folder` although everything in it is read-only; what cannot go stays."""
    for parent, _, _ in os.walk(folder):
        os.chmod(parent, 0o700)  # noqa: PTH101 -- thousands of folders
    shutil.rmtree(folder, ignore_errors=True)


def _shipped_below(folder: Path, parent: str, expected: frozenset[str]) -> bool:
    below = os.path.relpath(parent, folder).replace(os.sep, "/")
    prefix = "__pycache__/" if below == "." else f"{below}/__pycache__/"
    return any(name.startswith(prefix) for name in expected)


def _check(entry: zipfile.ZipInfo, name: str, archive: Path) -> None:
    parts = name.split("/")
    if "\\" in name or "\0" in name or any(part in {"", ".", ".."} for part in parts):
        raise _refusal(archive, f"the name `{name!r}` leads out of the folder")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise _refusal(archive, f"`{name}` is not an ordinary file")


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o755 if entry.external_attr >> 16 & 0o111 else 0o644
    with opened.open(entry) as source, open(os.open(path, _NEW, mode), "wb") as file:  # noqa: PTH123 -- an open descriptor
        shutil.copyfileobj(source, file, _CHUNK)
        file.flush()
        os.utime(file.fileno(), (FILE_DATE, FILE_DATE))


def _refusal(archive: Path, reason: str) -> CannotBuild:
    return CannotBuild(f"cannot unpack `{archive.name}`: {reason}", hint="lpack verify")
