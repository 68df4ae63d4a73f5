"""The user's own code: which files ship, under which names.

On the way of every rebuild, hence few imports, one `stat` for each file, and no look into files
that were looked into before.
"""

# Strings and os.path throughout, because pathlib costs more than the walk itself.
# ruff: noqa: PTH110, PTH112, PTH113, PTH116, PTH118, PTH119, PTH123, PTH206

import os
import stat
from collections.abc import Mapping

from packager.errors import CannotBuild, UsageError
from packager.inputs.own_output import is_artifact, redirected_files
from packager.inputs.secret_scan import (
    CERTIFICATE_BYTES,
    FOLDERS,
    SCANNED_BYTES,
    content_decides,
    is_public_certificate,
    name_of_secret,
    secret_in,
)
from packager.inputs.source_rules import compile_globs, default_rule, matching, reaches_into
from packager.model.project import Function, SourceFile, SourceTree

Identity = tuple[int, int, int, int, int]

_LISTED = 10


def collect_source(
    function: Function, *, known: Mapping[str, Identity] | None = None
) -> SourceTree:
    """List the files of `function.sources` that ship, ordered by archive name.

    `known` maps paths to the identity under which an earlier call with the same settings found no
    secret in them. A
    package ships under its own name, another folder by its contents, a file by its name. Raises
    UsageError for secrets, for links out of the project, for what is no regular file and for two
    files of one name; CannotBuild for what cannot be read.
    """
    walk = _Walk(function, known or {})
    for source in function.sources:
        walk.add_source(os.fspath(source))
    walk.refuse_secrets()
    files = sorted(walk.files.values())
    return SourceTree(
        files=tuple(files),
        folders=tuple(sorted(walk.folders.items())),
        excluded=tuple(sorted(walk.excluded.items())),
    )


def prefix_of(source: str, handler: str) -> str:
    """Give what stands before the names of a folder's files: `app/` for a package, else nothing.

    A folder without `__init__.py` is a package, too, when the handler begins with its name and
    is not found inside it (a namespace package, PEP 420).
    """
    name = os.path.basename(source)
    if os.path.isfile(os.path.join(source, "__init__.py")):
        return f"{name}/"
    first = handler.partition(".")[0]
    inside = os.path.join(source, first)
    if first == name and not os.path.isfile(f"{inside}.py") and not os.path.isdir(inside):
        return f"{name}/"
    return ""


class _Walk:
    """One walk over all sources, with what it found."""

    def __init__(self, function: Function, known: Mapping[str, Identity]) -> None:
        self.root = os.path.realpath(function.root)
        self.handler = function.handler
        self.known = known
        self.include = compile_globs(function.include)
        self.exclude = compile_globs(function.exclude)
        self.allowed = compile_globs(function.allow_secrets)
        self.target_dir = os.path.realpath(os.path.join(self.root, function.target_dir))
        self.files: dict[str, SourceFile] = {}
        self.folders: dict[str, tuple[int, int]] = {}
        self.excluded: dict[str, str] = {}
        self.secrets: list[tuple[str, str]] = []
        self.top = self.root
        self.redirected = redirected_files()

    def add_source(self, path: str) -> None:
        """Collect one configured source; it may lie outside the project, links in it may not."""
        path = os.path.realpath(path)
        self.top = path
        try:
            status = os.stat(path)
        except OSError as error:
            raise self._unreadable(path, error) from error
        if stat.S_ISDIR(status.st_mode):
            self._folder(path, prefix_of(path, self.handler), (), at_root=path == self.root)
        else:
            self._file(path, os.path.basename(path), status)

    def _folder(
        self, path: str, prefix: str, above: tuple[tuple[int, int], ...], *, at_root: bool
    ) -> None:
        try:
            status = os.stat(path)
            with os.scandir(path) as entries:
                listed = list(entries)
        except OSError as error:
            raise self._unreadable(path, error) from error
        place = (status.st_dev, status.st_ino)
        if place in above:
            raise UsageError(
                f"`{self._shown(path)}` is a link to a folder above it",
                hint=f'exclude = ["{self._shown(path)}"]',
            )
        self.folders[path] = (status.st_mtime_ns, status.st_ino)
        names = {entry.name for entry in listed}
        for entry in listed:
            name = entry.name
            if not name.isascii():
                self._check_utf8(entry.path)
            try:
                if self._left_out(entry, prefix + name, at_root=at_root):
                    continue
                real, status = self._followed(entry)
            except OSError as error:
                raise self._unreadable(entry.path, error) from error
            if is_artifact(name, names) or (status.st_dev, status.st_ino) in self.redirected:
                continue
            if stat.S_ISDIR(status.st_mode):
                self._folder(real, f"{prefix}{name}/", (*above, place), at_root=False)
            else:
                self._file(real, prefix + name, status)

    def _left_out(self, entry: os.DirEntry[str], archive_name: str, *, at_root: bool) -> bool:
        """Apply the user's globs, then the default rules; what is left out is written down."""
        is_folder = entry.is_dir()
        if self.exclude:
            shown = self._shown(entry.path)
            glob = matching(self.exclude, archive_name, shown)
            if glob is not None:
                # A folder is still listed when a `!` glob may keep something inside it.
                kept = [each for each in self.exclude if each.keep]
                if is_folder and reaches_into(kept, archive_name, shown):
                    return False
                self.excluded[shown] = f"exclude {glob.text}"
                return True
            if any(each.keep and each.expression.fullmatch(archive_name) for each in self.exclude):
                return False
        rule = default_rule(entry.name, is_folder=is_folder, at_root=at_root)
        if rule is None and is_folder:
            rule = self._rule_for_folder(entry)
        if rule is None or self._brought_back(archive_name, self._shown(entry.path)):
            return False
        # What an earlier build left is not told: no manifest may depend on whether there was one.
        if entry.path != self.target_dir:
            self.excluded[self._shown(entry.path)] = rule
        return True

    def _rule_for_folder(self, entry: os.DirEntry[str]) -> str | None:
        if os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
            return "virtual environment"
        if entry.path == self.target_dir:
            return "lpack's own output"
        if self.top == self.root and os.path.exists(os.path.join(entry.path, "pyproject.toml")):
            return "another project"
        return None

    def _brought_back(self, archive_name: str, shown: str) -> bool:
        if not self.include:
            return False
        return matching(self.include, archive_name, shown) is not None or reaches_into(
            self.include, archive_name, shown
        )

    def _followed(self, entry: os.DirEntry[str]) -> tuple[str, os.stat_result]:
        """Give path and status of what ships: a link's target when it is inside the project."""
        if not entry.is_symlink():
            return entry.path, entry.stat(follow_symlinks=False)
        shown = self._shown(entry.path)
        target = os.path.realpath(entry.path)
        if not any(_inside(target, folder) for folder in (self.root, self.top)):
            raise UsageError(
                f"`{shown}` is a link out of the project, to `{target}`",
                hint=f'copy the file, or exclude = ["{shown}"]',
            )
        try:
            return target, os.stat(entry.path)
        except OSError as error:
            raise UsageError(
                f"`{shown}` is a link that leads nowhere ({error.strerror})",
                hint=f'exclude = ["{shown}"]',
            ) from error

    def _file(self, path: str, archive_name: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(
                f"`{self._shown(path)}` is {_kind(status.st_mode)}, which cannot ship",
                hint=f'exclude = ["{self._shown(path)}"]',
            )
        identity = (
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
            status.st_dev,
        )
        if self.known.get(path) != identity or name_of_secret(os.path.basename(path)):
            self._look_for_secrets(path, archive_name, status.st_size)
        other = self.files.get(archive_name)
        if other is not None and other.path != path:
            raise UsageError(
                f"`{self._shown(other.path)}` and `{self._shown(path)}` both ship as "
                f"`{archive_name}`",
                hint="take one of them out of `source`, or exclude it",
            )
        executable = bool(status.st_mode & 0o111)
        self.files[archive_name] = SourceFile(archive_name, path, executable, identity)

    def _look_for_secrets(self, path: str, archive_name: str, size_bytes: int) -> None:
        name = os.path.basename(path)
        suspicious = name_of_secret(name) or self._in_secret_folder(path)
        clearable = suspicious and content_decides(name)
        limit = CERTIFICATE_BYTES if clearable else SCANNED_BYTES
        data = self._read(path, size_bytes, limit=limit)
        if clearable and is_public_certificate(data):
            suspicious = False
        reason = "by its name" if suspicious else (secret_in(data) if data else None)
        if reason is None:
            return
        shown = self._shown(path)
        if matching(self.allowed, archive_name, shown) is None:
            self.secrets.append((shown, reason))

    def _in_secret_folder(self, path: str) -> bool:
        return not FOLDERS.isdisjoint(path[len(self.top) :].split(os.sep)[:-1])

    def _read(self, path: str, size_bytes: int, *, limit: int) -> bytes:
        """Read a file whole up to a limit in bytes, and make sure a larger one can be read."""
        try:
            with open(path, "rb") as file:
                return file.read(limit) if size_bytes <= limit else b""
        except OSError as error:
            raise self._unreadable(path, error) from error

    def refuse_secrets(self) -> None:
        """Raise UsageError listing everything that looks like a secret."""
        if not self.secrets:
            return
        found = sorted(self.secrets)
        lines = [f"{path} ({reason})" for path, reason in found[:_LISTED]]
        if len(found) > _LISTED:
            lines.append(f"and {len(found) - _LISTED} more")
        paths = ", ".join(f'"{path}"' for path, _ in found[:3])
        count = "1 file looks" if len(found) == 1 else f"{len(found)} files look"
        raise UsageError(
            f"{count} like a secret and would ship",
            hint=f"exclude = [{paths}], or allow-secrets = [{paths}] when that is meant",
            details=lines,
        )

    def _check_utf8(self, path: str) -> None:
        try:
            path.encode("utf-8")
        except UnicodeEncodeError as error:
            escaped = os.fsencode(self._shown(path)).decode("utf-8", "backslashreplace")
            raise UsageError(
                f"the name of `{escaped}` is not UTF-8, and zip files need that",
                hint="rename the file",
            ) from error

    def _shown(self, path: str) -> str:
        """Word a path relative to the project, with forward slashes."""
        return (
            path[len(self.root) + 1 :] if _inside(path, self.root) and path != self.root else path
        )

    def _unreadable(self, path: str, error: OSError) -> CannotBuild:
        return CannotBuild(f"cannot read `{self._shown(path)}`: {error.strerror}")


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    )
    return next((title for test, title in kinds if test(mode)), "no regular file")
