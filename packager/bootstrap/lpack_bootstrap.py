"""Brings back at run time what `slim = "traced"` moved into archives. Runs inside Lambda.

One file, standard library only, Python 3.9 to 3.14. It is installed before the handler's own code
and answers for files that are in an archive of `.lpack/fallback` and not in the task folder:

- `import` of a module, through a finder at the end of `sys.meta_path`
- `open`, `io.open`, `os.open`, `ctypes.CDLL` and the `get_data` of loaders, by a path
- `os.stat`, `os.lstat`, `os.listdir`, `os.scandir`: from the index alone, nothing is unpacked

The first miss unpacks the whole distribution below /tmp/lpack. Not noticed: files that C code opens
or loads by itself, `os.access`, functions that were taken out of `os` before, other processes.
"""

# ruff: noqa: PTH -- pathlib would have to be loaded at every start

from __future__ import annotations

import _thread
import builtins
import errno
import io
import os
import stat
import sys
import time
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType
    from typing import Any

TASK = os.path.dirname(os.path.abspath(__file__))
PLACE = os.path.join(os.environ.get("TMPDIR") or "/tmp", "lpack")  # noqa: S108 -- Lambda's only writable folder
LOCK_SECONDS = 20.0

_INDEXES = os.path.join(TASK, ".lpack", "fallback")
_DATE = 315_532_800  # 1980-01-01, as in the task folder
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NOT_THERE = (FileNotFoundError, NotADirectoryError)
_lstat, _open, _listdir, _scandir = os.lstat, builtins.open, os.listdir, os.scandir


class RestoreError(OSError):
    """A distribution cannot be brought back; says which, why, and what to do."""


class Archive:
    """One distribution's moved files: what is known of them, and where they go."""

    def __init__(self, known: dict[str, Any]) -> None:
        """Take what the index says."""
        import zlib

        self.known = known
        self.title = f"{known['name']} {known['version']}"
        # Links lead back to the task folder, so that another task folder is another place.
        self.key = f"{known['sha256'][:32]}-{zlib.crc32(TASK.encode()):08x}"
        self.folder = os.path.join(PLACE, self.key)
        self.lock = _thread.RLock()

    def restore(self, name: str, because: str) -> str:
        """Return where the file `name` is, after unpacking everything if need be."""
        path = os.path.join(self.folder, name)
        with self.lock:
            if not _is_there(path):
                try:
                    self._restore(path, because)
                except OSError as error:
                    fault = self._explain(error)
                    _say(f"cannot restore {fault.strerror}")
                    raise fault from error
        return path

    def _restore(self, path: str, because: str) -> None:
        began = time.monotonic()
        _make_place()
        with _Lock(self.folder + ".lock"):
            # Another process may have been faster; only whole folders have the final name.
            if _is_there(path):
                return
            self._sweep()
            free_bytes = _free_bytes()
            if free_bytes < self.known["disk_bytes"]:
                raise OSError(errno.ENOSPC, "too small")
            temporary = f"{self.folder}.{os.getpid()}.{os.urandom(4).hex()}"
            os.mkdir(temporary, 0o700)
            try:
                unpack(os.path.join(_INDEXES, self.known["archive"]), temporary, self.known)
                _take(temporary, self.folder)
            finally:
                _remove(temporary)
        _say(
            f"restored {self.title} ({self.known['uncompressed_bytes'] / 1e6:.1f} MB, "
            f"{time.monotonic() - began:.1f} s) because {because}; run lpack trace again"
        )

    def _sweep(self) -> None:
        """Remove what killed processes left, and a folder that somebody removed files from."""
        if _is_there(self.folder):
            os.rename(self.folder, f"{self.folder}.{os.getpid()}.{os.urandom(4).hex()}")
        for name in _listdir(PLACE):
            process = name[len(self.key) + 1 :].partition(".")[0]
            mine = name.startswith(self.key + ".") and process.isdigit()
            if mine and (int(process) == os.getpid() or not _is_there(f"/proc/{process}")):
                _remove(os.path.join(PLACE, name))

    def _explain(self, error: OSError) -> RestoreError:
        why = f"{self.title}: {error.strerror or error}"
        if error.errno == errno.ENOSPC:
            why = (
                f"{self.title}: it needs {self.known['disk_bytes'] / 1e6:.1f} MB below {PLACE}, "
                f"and {_free_bytes() / 1e6:.1f} MB are free; raise the function's ephemeral "
                "storage, or run lpack trace again"
            )
        return RestoreError(error.errno or errno.EIO, why)


class Index:
    """All moved files: folder → name → (archive, bytes), or None for a folder."""

    def __init__(self) -> None:
        """Read every distribution's index."""
        import json

        self.tree: dict[str, dict[str, tuple[Archive, int] | None]] = {}
        self.archives: dict[str, Archive] = {}
        for name in sorted(_listdir(_INDEXES)) if _is_there(_INDEXES) else ():
            if name.endswith(".json"):
                with _open(os.path.join(_INDEXES, name), encoding="utf-8") as file:
                    self._add(json.load(file))

    def _add(self, known: dict[str, Any]) -> None:
        archive = Archive(known)
        self.archives[archive.key] = archive
        for folder, files in known["folders"].items():
            self.tree.setdefault(folder, {}).update(
                {name: (archive, length) for name, length in files.items()}
            )
            child = folder
            while child:
                parent, _, name = child.rpartition("/")
                self.tree.setdefault(parent, {}).setdefault(name, None)
                child = parent

    def name_of(self, path: Any, *, restored: bool = False) -> str | None:
        """Return the archive name of a path in the task folder, or in a `restored` one."""
        try:
            text = os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError):
            return None
        if text == TASK:
            return ""
        if text.startswith(TASK + "/"):
            return text[len(TASK) + 1 :]
        if restored and text.startswith(PLACE + "/"):
            key, _, name = text[len(PLACE) + 1 :].partition("/")
            return name if key in self.archives else None
        return None

    def file(self, name: str | None) -> tuple[Archive, int] | None:
        """Return the archive and the length of a moved file."""
        folder, _, base = (name or "").rpartition("/")
        return self.tree.get(folder, {}).get(base)

    def restored(self, path: Any, done: str) -> str | None:
        """Return where the file at `path` is now; None when it is no moved file."""
        name = self.name_of(path, restored=True)
        found = self.file(name)
        if found is None or name is None:
            return None
        return found[0].restore(name, f"`{name}` was {done}")

    def status(self, path: Any) -> os.stat_result | None:
        """Return what `os.stat` would say of a moved file or folder."""
        name = self.name_of(path)
        found = self.file(name)
        if found is not None:
            mode, length = stat.S_IFREG | 0o644, found[1]
        elif name in self.tree:
            mode, length = stat.S_IFDIR | 0o755, 4096
        else:
            return None
        return os.stat_result((mode, 0, 0, 1, 0, 0, length, _DATE, _DATE, _DATE))


_state: list[Index] = []


def index() -> Index:
    """Return the index, read at the first miss."""
    if not _state:
        _state.append(Index())
    return _state[0]


class Finder:
    """Finds modules that are in an archive; nothing is unpacked before one is executed."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer `import`, after all other finders."""
        del target
        known, spaces = index(), []
        for entry in [TASK] if path is None else path:
            folder = known.name_of(entry, restored=True)
            if folder is None:
                continue
            name = f"{folder}/{fullname.rpartition('.')[2]}".lstrip("/")
            for file, is_package in ((f"{name}/__init__", True), (name, False)):
                for suffix in (*EXTENSION_SUFFIXES, *SOURCE_SUFFIXES):
                    found = known.file(file + suffix)
                    if found is not None:
                        return _spec(fullname, found[0], file + suffix, is_package=is_package)
            if name in known.tree:
                spaces.append(os.path.join(TASK, name))
        if not spaces:
            return None
        space = ModuleSpec(fullname, None, is_package=True)
        space.submodule_search_locations = spaces
        return space


def _spec(fullname: str, archive: Archive, name: str, *, is_package: bool) -> ModuleSpec | None:
    path = os.path.join(archive.folder, name)
    kind = _Source if name.endswith(".py") else _Extension
    places = [os.path.dirname(path)] if is_package else None
    return spec_from_file_location(
        fullname, path, loader=kind(fullname, path), submodule_search_locations=places
    )


def _bring(path: str, module: str) -> None:
    key, _, name = path[len(PLACE) + 1 :].partition("/")
    index().archives[key].restore(name, f"{module} was imported")
    # What the import system noted about folders from before they were there.
    for place in [each for each in sys.path_importer_cache if each.startswith(PLACE)]:
        if sys.path_importer_cache[place] is None:
            del sys.path_importer_cache[place]


class _Source(SourceFileLoader):
    def get_code(self, fullname: str) -> Any:
        _bring(self.path, fullname)
        return super().get_code(fullname)


class _Extension(ExtensionFileLoader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        _bring(spec.origin or "", spec.name)
        return super().create_module(spec)


class _OnMiss:
    """A function of `os` that is asked first, and what to do when it finds nothing.

    An object, because a function in its place would become a method where a class holds it.
    """

    def __init__(self, real: Any, answer: Any) -> None:
        self.__wrapped__, self.__name__, self.__doc__ = real, real.__name__, real.__doc__
        self.answer = answer

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        try:
            return self.__wrapped__(*arguments, **named)
        except _NOT_THERE:
            if named.get("dir_fd") is not None:
                raise
            path = arguments[0] if arguments else named.get("path", named.get("file"))
            answer = self.answer(path, arguments[1:], named)
            if answer is None:
                raise
        if isinstance(answer, str):
            named = {key: each for key, each in named.items() if key not in {"path", "file"}}
            return self.__wrapped__(answer, *arguments[1:], **named)
        return answer


def _open_miss(path: Any, rest: tuple[Any, ...], named: dict[str, Any]) -> str | None:
    mode = rest[0] if rest else named.get("mode", "r")
    return None if set(mode) & set("wax+") else index().restored(path, "opened")


def _os_open_miss(path: Any, rest: tuple[Any, ...], named: dict[str, Any]) -> str | None:
    flags = rest[0] if rest else named["flags"]
    return None if flags & _WRITING else index().restored(path, "opened")


def _stat_miss(path: Any, *_: Any) -> os.stat_result | None:
    return index().status(path)


class _Listing:
    """`os.listdir` with the names of moved files."""

    def __init__(self, real: Any) -> None:
        self.__wrapped__, self.__name__, self.__doc__ = real, real.__name__, real.__doc__

    def __call__(self, path: Any = ".") -> Any:
        moved = None if path is None else index().tree.get(index().name_of(path) or " ")
        if path is not None and moved is None and index().name_of(path) == "":
            moved = index().tree.get("")
        try:
            found = list(self.__wrapped__(path))
        except _NOT_THERE:
            if moved is None:
                raise
            found = []
        return self.finish(path, found, moved or {})

    def finish(self, path: Any, found: list[Any], moved: dict[str, Any]) -> Any:
        missing = [each for each in moved if os.fsencode(each) not in set(map(os.fsencode, found))]
        return found + [os.fsencode(e) if isinstance(path, bytes) else e for e in missing]
