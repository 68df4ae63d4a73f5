"""Brings back at run time what `slim = "traced"` moved into archives. Runs inside Lambda.

One file, standard library only, Python 3.9 to 3.14. It is installed before the handler's own code
and answers for files that are in an archive of `.lpack/fallback` and not in the task folder:

- `import` of a module, through a finder at the end of `sys.meta_path`
- `open`, `io.open`, `os.open`, `ctypes.CDLL` and the loaders' `get_data`, by a path
- `os.stat`, `os.lstat`, `os.listdir`, `os.scandir`: from the index alone, nothing is unpacked

The first miss unpacks the whole distribution below /tmp/lpack. Not noticed: files that C code opens
or loads by itself, `os.access`, functions that were taken out of `os` before, other processes.
"""

# It stands for functions of any signature, loads late what only a miss needs, and no pathlib.
# ruff: noqa: ANN401, PLC0415, PTH100, PTH102, PTH103, PTH104, PTH116, PTH118, PTH120, PTH211

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
    ExtensionFileLoader,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

_TASK = os.path.dirname(os.path.abspath(__file__))
_PLACE = os.path.join(os.environ.get("TMPDIR") or "/tmp", "lpack")  # noqa: S108 -- all there is
_FALLBACK = os.path.join(_TASK, ".lpack", "fallback")
_LOCK_SECONDS = 20
_DATE = 315_532_800  # 1980-01-01, as in the task folder
_NOT_THERE = (FileNotFoundError, NotADirectoryError)
_lstat, _open, _listdir = os.lstat, builtins.open, os.listdir


class RestoreError(OSError):
    """A distribution cannot be brought back; says which, why, and what to do."""


class _Archive:
    """One distribution's moved files: what the index says of them, and where they go."""

    def __init__(self, known: dict[str, Any]) -> None:
        import zlib

        self.known = known
        self.title = f"{known['name']} {known['version']}"
        # Links lead back to the task folder: for another task folder it is another place.
        self.key = f"{known['sha256'][:32]}-{zlib.crc32(_TASK.encode()):08x}"
        self.folder = os.path.join(_PLACE, self.key)
        self.lock = _thread.RLock()

    def restore(self, name: str, because: str) -> str:
        """Return where the file `name` is, after unpacking everything if need be."""
        path = os.path.join(self.folder, name)
        with self.lock:
            if _is_there(path):
                return path
            try:
                self._restore(path, because)
            except OSError as error:
                why = error.strerror or str(error)
                if error.errno == errno.ENOSPC:
                    why = (
                        f"it needs {self.known['disk_bytes'] / 1e6:.1f} MB below {_PLACE} and "
                        f"{_free_bytes() / 1e6:.1f} MB are free; raise the function's ephemeral "
                        "storage, or run lpack trace again"
                    )
                _say(f"cannot restore {self.title}: {why}")
                raise RestoreError(error.errno, f"{self.title}: {why}") from error
        return path

    def _restore(self, path: str, because: str) -> None:
        began = time.monotonic()
        os.makedirs(_PLACE, 0o700, exist_ok=True)
        status = _lstat(_PLACE)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise OSError(errno.EPERM, f"{_PLACE} is not a folder of this function")
        lock = os.open(self.folder + ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            locked = _lock(lock)
            # Another process may have been faster. Only whole folders have the final name.
            if _is_there(path):
                return
            if locked:
                self._sweep()
            if _free_bytes() < self.known["disk_bytes"]:
                raise OSError(errno.ENOSPC, "no space")
            self._unpack()
        finally:
            os.close(lock)
        _say(
            f"restored {self.title} ({self.known['uncompressed_bytes'] / 1e6:.1f} MB, "
            f"{time.monotonic() - began:.1f} s) because {because}; run lpack trace again"
        )

    def _unpack(self) -> None:
        """Unpack the .tar.xz into a folder of this process and give it the final name."""
        import hashlib
        import lzma
        import mmap
        import tarfile

        temporary = self._temporary()
        os.mkdir(temporary, 0o700)
        archive = os.path.join(_FALLBACK, self.known["archive"])
        try:
            # What is unpacked are the very bytes that were hashed.
            with (
                _open(archive, "rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            ):
                if hashlib.sha256(data).hexdigest() != self.known["sha256"]:
                    raise OSError(errno.EIO, "its archive is damaged")
                plain: Any = lzma.LZMAFile(data)  # type: ignore[arg-type]  # noqa: SIM115 -- below
                with plain, tarfile.open(fileobj=plain, mode="r|") as members:
                    for member in members:
                        _write(members, member, temporary)
            try:
                os.rename(temporary, self.folder)
            except OSError:
                # Somebody without the lock was faster; the contents are the same.
                if not _is_there(self.folder):
                    raise
        finally:
            _remove(temporary)

    def _temporary(self) -> str:
        return f"{self.folder}.{os.getpid()}.{os.urandom(4).hex()}"

    def _sweep(self) -> None:
        """Remove what killed processes left, and a folder that somebody took files out of."""
        if _is_there(self.folder):
            os.rename(self.folder, self._temporary())
        for name in _listdir(_PLACE):
            process = name[len(self.key) + 1 :].partition(".")[0]
            mine = name.startswith(self.key + ".") and process.isdigit()
            if mine and (int(process) == os.getpid() or not _is_there(f"/proc/{process}")):
                _remove(os.path.join(_PLACE, name))


class _Index:
    """All moved files: folder → name → (archive, bytes), or None for a folder."""

    def __init__(self) -> None:
        import json

        self.tree: dict[str, dict[str, tuple[_Archive, int] | None]] = {}
        self.archives: dict[str, _Archive] = {}
        for name in sorted(_listdir(_FALLBACK)) if _is_there(_FALLBACK) else ():
            if name.endswith(".json"):
                with _open(os.path.join(_FALLBACK, name), encoding="utf-8") as file:
                    self._add(_Archive(json.load(file)))

    def _add(self, archive: _Archive) -> None:
        self.archives[archive.key] = archive
        for folder, files in archive.known["folders"].items():
            moved = self.tree.setdefault(folder, {})
            moved.update({name: (archive, length) for name, length in files.items()})
            child = folder
            while child:
                parent, _, name = child.rpartition("/")
                self.tree.setdefault(parent, {}).setdefault(name, None)
                child = parent

    def file(self, name: str) -> tuple[_Archive, int] | None:
        """Return the archive and the length of a moved file."""
        folder, _, base = name.rpartition("/")
        return self.tree.get(folder, {}).get(base)


_loaded: list[_Index] = []
_loading = _thread.RLock()


def _after_fork() -> None:
    """Free what another thread held when this process was forked."""
    archives = [archive for index in _loaded for archive in index.archives.values()]
    for lock in (_loading, *(archive.lock for archive in archives)):
        lock._at_fork_reinit()  # type: ignore[attr-defined]  # noqa: SLF001 -- as threading does


def _index() -> _Index:
    """Return the index, read at the first question that needs it."""
    with _loading:
        if not _loaded:
            _loaded.append(_Index())
    return _loaded[0]


def _name_of(path: Any, *, restored: bool = False) -> str | None:
    """Return the archive name of a path in the task folder, or in a `restored` one."""
    try:
        text = os.path.abspath(os.fsdecode(path))
    except (TypeError, ValueError):
        return None
    if text == _TASK or text.startswith(_TASK + "/"):
        return text[len(_TASK) + 1 :]
    if restored and text.startswith(_PLACE + "/"):
        key, _, name = text[len(_PLACE) + 1 :].partition("/")
        return name if key in _index().archives else None
    return None


def _restored(path: Any, done: str) -> str | None:
    """Return where the moved file `path` is now; None when it is none."""
    name = _name_of(path, restored=True)
    found = _index().file(name) if name else None
    return found[0].restore(name, f"{name} was {done}") if name and found else None


class _Finder:
    """Finds modules that are in an archive; nothing is unpacked before one is executed."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, _: Any = None) -> ModuleSpec | None:
        """Answer `import`, after all other finders."""
        spaces = []
        for entry in [_TASK] if path is None else path:
            folder = _name_of(entry, restored=True)
            if folder is None:
                continue
            module = f"{folder}/{name.rpartition('.')[2]}".lstrip("/")
            for stem in (f"{module}/__init__", module):
                for suffix in (*EXTENSION_SUFFIXES, ".py"):
                    found = _index().file(stem + suffix)
                    if found is not None:
                        place = os.path.join(found[0].folder, stem + suffix)
                        return _spec(name, place, is_package=stem != module)
            if module in _index().tree:
                spaces.append(os.path.join(_TASK, module))
        space = ModuleSpec(name, None, is_package=True)
        space.submodule_search_locations = spaces
        return space if spaces else None


def _spec(name: str, path: str, *, is_package: bool) -> ModuleSpec | None:
    loader = (_Source if path.endswith(".py") else _Extension)(name, path)
    places = [os.path.dirname(path)] if is_package else None
    return spec_from_file_location(name, path, loader=loader, submodule_search_locations=places)


class _Source(SourceFileLoader):
    def get_code(self, fullname: str) -> Any:
        _bring(self.path, fullname)
        return super().get_code(fullname)


class _Extension(ExtensionFileLoader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        _bring(self.path, spec.name)
        return super().create_module(spec)


def _bring(path: str, module: str) -> None:
    key, _, name = path[len(_PLACE) + 1 :].partition("/")
    _index().archives[key].restore(name, f"{module} was imported")
    # What the import system noted about folders before they were there.
    for place, finder in list(sys.path_importer_cache.items()):
        if finder is None and place.startswith(_PLACE):
            del sys.path_importer_cache[place]


class _OnMiss:
    """Asks the real function first, and after an error whether a moved file was meant.

    An object: a function would become a method in a class that keeps it.
    """

    def __init__(self, real: Any, answer: Any, misses: Any = _NOT_THERE) -> None:
        self.__wrapped__, self.__name__, self.__doc__ = real, real.__name__, real.__doc__
        self.answer, self.misses = answer, misses

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        try:
            return self.__wrapped__(*arguments, **named)
        except self.misses:
            if not arguments:
                arguments = (named.pop("path", None) or named.pop("file", None),)
            answer = None if named.get("dir_fd") else self.answer(*arguments, **named)
            if answer is None:
                raise
        is_path = isinstance(answer, str)
        return self.__wrapped__(answer, *arguments[1:], **named) if is_path else answer


def _open_miss(path: Any, mode: str = "r", *_: Any, **__: Any) -> str | None:
    return None if set(mode) & set("wax+") else _restored(path, "opened")


def _os_open_miss(path: Any, flags: int, *_: Any, **__: Any) -> str | None:
    writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    return None if writing else _restored(path, "opened")


def _load_miss(path: Any, *_: Any) -> str | None:
    return _restored(path, "loaded") if isinstance(path, str) and "/" in path else None


def _stat_miss(path: Any, **_: Any) -> os.stat_result | None:
    name = _name_of(path)
    found = _index().file(name) if name else None
    if found is None and name not in _index().tree:
        return None
    mode, length = (stat.S_IFREG | 0o644, found[1]) if found else (stat.S_IFDIR | 0o755, 4096)
    return os.stat_result((mode, 0, 0, 1, 0, 0, length, _DATE, _DATE, _DATE))


class _Listing(_OnMiss):
    """Adds moved names to what the real function lists."""

    def __call__(self, path: Any = ".") -> Any:
        name = _name_of(path)
        moved = _index().tree.get(name) if name is not None else None
        if not moved:
            return self.__wrapped__(path)
        try:
            found = list(self.__wrapped__(path))
        except _NOT_THERE:
            found = []
        there = {os.fsdecode(getattr(each, "name", each)) for each in found}
        kind = os.fsencode if isinstance(path, bytes) else str
        return self.answer(path, found, [kind(each) for each in moved if each not in there])


class _Entry:
    """An `os.DirEntry` of a moved file or folder."""

    def __init__(self, folder: Any, name: Any) -> None:
        self.name, self.path = name, os.path.join(folder, name)
        self.stat: Any = lambda **_: os.stat(self.path)
        self.is_dir: Any = lambda **_: stat.S_ISDIR(self.stat().st_mode)
        self.is_file: Any = lambda **_: stat.S_ISREG(self.stat().st_mode)
        self.is_symlink = self.is_junction = self.inode = lambda: False

    def __fspath__(self) -> Any:
        return self.path


class _Entries:
    """What `os.scandir` returns: an iterator that can be closed."""

    def __init__(self, path: Any, found: list[Any], missing: list[Any]) -> None:
        self.left = iter([*found, *(_Entry(path, name) for name in missing)])
        self.close = self.__exit__

    def __iter__(self) -> Any:
        return self.left

    def __next__(self) -> Any:
        return next(self.left)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.left = iter([])


def _lock(descriptor: int) -> bool:
    """Wait until no other process unpacks the same; False when that takes too long."""
    import fcntl

    for _ in range(_LOCK_SECONDS * 50):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def _write(members: Any, member: Any, folder: str) -> None:
    """Write one file of the archive; its links stand for files that stayed in the task folder."""
    import shutil

    path = os.path.join(folder, member.name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if member.issym():
        os.symlink(os.path.join(_TASK, member.name), path)
        return
    new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, member.mode)
    with _open(new, "wb") as file:
        shutil.copyfileobj(members.extractfile(member), file, 1 << 20)
    os.utime(path, (_DATE, _DATE))


def _is_there(path: str) -> bool:
    try:
        return bool(_lstat(path))
    except OSError:
        return False


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _free_bytes() -> int:
    space = os.statvfs(_PLACE)
    return space.f_bavail * space.f_frsize


def _say(text: str) -> None:
    os.write(2, f"lpack: {text}\n".encode())


def install() -> None:
    """Begin to answer for moved files; a second time it does nothing."""
    if _Finder in sys.meta_path:
        return
    sys.meta_path.append(_Finder)
    os.register_at_fork(after_in_child=_after_fork)
    _replace(builtins, "open", _OnMiss(builtins.open, _open_miss))
    io.open = builtins.open
    _replace(os, "open", _OnMiss(os.open, _os_open_miss))
    _replace(os, "stat", _OnMiss(os.stat, _stat_miss))
    _replace(os, "lstat", _OnMiss(os.lstat, _stat_miss))
    _replace(os, "listdir", _Listing(os.listdir, lambda _, found, missing: found + missing))
    _replace(os, "scandir", _Listing(os.scandir, _Entries))
    _read_moved(SourceFileLoader.__bases__[0])
    try:
        import _ctypes
    except ImportError:
        return
    _replace(_ctypes, "dlopen", _OnMiss(_ctypes.dlopen, _load_miss, OSError))
    if "ctypes" in sys.modules:
        sys.modules["ctypes"].__dict__["_dlopen"] = _ctypes.dlopen


def _replace(module: Any, name: str, replacement: Any) -> None:
    """Put `replacement` wherever the function was known as itself."""
    real = replacement.__wrapped__
    setattr(module, name, replacement)
    for supports in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if real in supports:
            supports.add(replacement)
    # pathlib before Python 3.11 keeps the functions for itself.
    kept = getattr(sys.modules.get("pathlib"), "_NormalAccessor", None)
    for key in [key for key, each in vars(kept).items() if each is real] if kept else ():
        setattr(kept, key, replacement)


def _read_moved(loader: Any) -> None:
    """Let all loaders of files read moved ones: `pkgutil.get_data` asks them."""
    real = loader.get_data

    def get_data(self: Any, path: str) -> Any:
        return _OnMiss(lambda place: real(self, place), _open_miss)(path)

    loader.get_data = get_data
