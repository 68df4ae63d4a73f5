"""An artifact that lies unpacked in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from packager.errors import UsageError
from packager.inspect.zip_directory import MAX_MEMBERS, printable
from packager.model.found import Found, FoundFile

_NOT_SHIPPED = frozenset({".git", ".hg", ".svn"})


class FolderArtifact(NamedTuple):
    """The files below a folder; they have no compressed sizes."""

    found: Found
    root: Path

    def read(self, file: FoundFile, limit_bytes: int = -1) -> bytes:
        """Return the file's first `limit_bytes` bytes."""
        with self.spool(file) as stream:
            return stream.read(limit_bytes)

    def spool(self, file: FoundFile) -> BinaryIO:
        """Open the file itself; what a link points to is not followed."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        return open(os.open(self.root / file.path, flags), "rb")  # noqa: PTH123 -- an open descriptor


@contextmanager
def open_folder(root: Path) -> Iterator[FolderArtifact]:
    """List the files below `root`.

    Raises UsageError when it holds more files than any artifact.
    """
    files: list[FoundFile] = []
    oddities: list[tuple[str, str, str]] = []
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _NOT_SHIPPED)
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118 -- thousands of files
        for name in sorted([*names, *links]):
            path = os.path.join(parent, name)  # noqa: PTH118 -- likewise
            facts = os.lstat(path)
            shown = os.path.relpath(path, root).replace(os.sep, "/")
            if os.path.islink(path):  # noqa: PTH114 -- likewise
                oddities.append(("symlink", shown, f"`{printable(shown)}` is a symbolic link"))
            files.append(
                FoundFile(
                    shown, facts.st_size, 0, 0, None, facts.st_mode, int(facts.st_mtime), None
                )
            )
        if len(files) > MAX_MEMBERS:
            raise UsageError(
                f"`{root}` holds more than {MAX_MEMBERS:,} files",
                hint="name the folder that is uploaded",
            )
    yield FolderArtifact(Found("folder", root.name, tuple(files), 0, 0, tuple(oddities)), root)
