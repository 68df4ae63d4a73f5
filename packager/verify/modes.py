"""Modes of a bundle's files: Lambda runs them as a user who owns none of them. Pure.

Source: AWS's Developer Guide, troubleshooting-deployment (0644 for files, 0755 for folders and
programs; links are to be removed).
"""

from collections.abc import Collection, Iterator

from packager.model.finding import Finding
from packager.verify.bundle_view import BundleView, is_symlink
from packager.verify.grouping import Grouped

_WORLD_READABLE = 0o444
_WORLD_EXECUTABLE = 0o111


def check_modes(view: BundleView, programs: Collection[str]) -> Iterator[Finding]:
    """Yield the files that the function's user may not read, the links, and lame `programs`."""
    grouped = Grouped()
    for file in view:
        if file.mode is None:
            continue
        mode = f"mode {file.mode & 0o777:04o}"
        if is_symlink(file):
            hint = "put the file itself in its place"
            grouped.add("symlink", "warning", file.name, "is a symbolic link", hint=hint)
        elif file.mode & _WORLD_READABLE != _WORLD_READABLE:
            predicate = f"has {mode}: Lambda's user cannot read it"
            hint = "chmod -R a+rX, and build the zip anew"
            grouped.add("not-readable", "error", file.name, predicate, hint=hint)
        elif file.name in programs and file.mode & _WORLD_EXECUTABLE != _WORLD_EXECUTABLE:
            predicate = f"is a program of {mode}: it cannot be started from /var/task"
            hint = "chmod a+x, if the function starts it"
            grouped.add("not-executable", "note", file.name, predicate, hint=hint)
    yield from grouped.findings()
