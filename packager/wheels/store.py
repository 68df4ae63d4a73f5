"""The store: verified wheels, payloads and small documents on disk, addressed by content.

    <root>/<kind>/<first two characters of the key>/<key><suffix>
    <root>/tmp/                 temporaries: one folder, so that sweeping costs one listing

Safety rests on `os.replace` alone, never on locks: a name either leads to complete bytes or
does not exist, whoever is killed when. Removing any part of the store is always harmless.
"""

# The fast path goes through this module, where Path objects cost more than the calls they make.
# ruff: noqa: PTH100, PTH103, PTH105, PTH108, PTH111, PTH116, PTH119, PTH120, PTH123

import errno
import hashlib
import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from packager.errors import CannotBuild
from packager.leftovers import remove_leftovers, temporary_mark

VERSION: Final = "v1"
ENVIRONMENT_VARIABLE: Final = "LPACK_CACHE_DIR"

_FULL: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_DISK: Final = frozenset({errno.EROFS, errno.EIO})
_TEMPORARIES: Final = "tmp"
_HINT: Final = f"make the folder writable, or set {ENVIRONMENT_VARIABLE}=DIR to use another one"
_DOCUMENT_HEAD: Final = b'{"sha256":"'
_DOCUMENT_MIDDLE: Final = b'","body":'
_BODY_START: Final = len(_DOCUMENT_HEAD) + 64 + len(_DOCUMENT_MIDDLE)

_PAPERS: Final = {
    "README": (
        "This folder is the store of lpack: verified wheels and what was computed from them.\n"
        "Everything in it can be fetched or computed again: it may be deleted at any time.\n"
        f"{ENVIRONMENT_VARIABLE} chooses another place.\n"
    ),
    # The first line is fixed by https://bford.info/cachedir/; backup programs look for it.
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# Made by lpack.\n",
}


class EntryLostError(CannotBuild):
    """An entry is gone or, when `altered`, not what was written: do the work again."""

    def __init__(self, what: str, *, altered: bool = False) -> None:
        """Word it for the case that nobody does the work again."""
        super().__init__(f"the store lost {what} while it was in use", hint="build again")
        self.what, self.altered = what, altered


class Store:
    """A folder of content-addressed files; nothing is touched on disk before the first use.

    One instance may be used by several threads, and one folder by several processes.
    """

    def __init__(self, root: Path) -> None:
        """Take `root`, which need not exist yet, as the store's own folder."""
        self._base = os.path.abspath(root)
        self.root = Path(self._base)
        self._ready = False
        self._owned = False
        self._lock = threading.Lock()
        self._proven: set[str] = set()

    @classmethod
    def default(cls) -> "Store":
        """Give the user's store: below `$LPACK_CACHE_DIR`, or else where the system keeps caches.

        The version of the layout is a folder of its own, so that a later lpack never misreads it.
        """
        configured = os.environ.get(ENVIRONMENT_VARIABLE)
        if configured:
            return cls(Path(os.path.expanduser(configured)) / VERSION)
        from platformdirs import user_cache_path  # noqa: PLC0415 -- loaded only without the variable

        return cls(user_cache_path("lpack", appauthor=False) / VERSION)

    def file(self, kind: str, key: str, suffix: str) -> Path:
        """Give the place of an entry, whether it exists or not; `key` is ASCII, `-` and `_`."""
        return Path(self._place(kind, key, suffix))

    def has(self, kind: str, key: str, suffix: str, file_bytes: int | None = None) -> bool:
        """Tell whether an entry is there, with the right size where one is known."""
        try:
            found = os.stat(self._place(kind, key, suffix))
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and file_bytes in (None, found.st_size)

    def wheel_path(self, sha256: str) -> Path:
        """Give the place of the wheel with this digest (lower-case hex)."""
        return Path(self._place("wheels", sha256, ".whl"))

    def has_wheel(self, sha256: str, size_bytes: int | None = None) -> bool:
        """Tell whether the wheel is there, with the right size where one is known."""
        return self.has("wheels", sha256, ".whl", size_bytes)

    def wheel_is_intact(self, sha256: str) -> bool:
        """Read the wheel and tell whether it still has its digest; absent counts as not intact."""
        try:
            with self.wheel_path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            return False

    def note_proven(self, sha256: str) -> None:
        """Note that this process has just hashed the wheel with this digest."""
        self._proven.add(sha256)

    def proven_wheel(self, sha256: str) -> Path:
        """Give the place of a wheel whose bytes this process has hashed, now or before.

        Raises EntryLostError, after removing a damaged wheel, when it has to be fetched again.
        """
        if sha256 not in self._proven:
            if not self.wheel_is_intact(sha256):
                altered = self.has_wheel(sha256)
                self.discard("wheels", sha256, ".whl")
                raise EntryLostError(f"the wheel {sha256}", altered=altered)
            self._proven.add(sha256)
        return self.wheel_path(sha256)

    def discard(self, kind: str, key: str, suffix: str) -> None:
        """Remove an entry that turned out to be damaged; an absent one is fine."""
        with self._disk_errors(), suppress(FileNotFoundError):
            os.unlink(self._place(kind, key, suffix))

    @contextmanager
    def writing(self, kind: str, key: str, suffix: str, *, durable: bool = True) -> Iterator[Path]:
        """Yield a new empty file to fill; it becomes the entry when the block ends well.

        When the block raises, the file goes away and nothing changes. Of several writers the last
        one stays; readers of an earlier one keep it. With `durable`, a power cut cannot leave a
        complete name on incomplete bytes. Raises CannotBuild when the disk refuses.
        """
        final = self._place(kind, key, suffix)
        with self._disk_errors():
            temporary = self._new_temporary(suffix)
            try:
                with self._losses():
                    yield Path(temporary)
                if durable:
                    _sync(temporary)
                _make_folder(os.path.dirname(final))
                os.replace(temporary, final)
            finally:
                # After a success the name is gone already; otherwise this is the cleaning up.
                with suppress(OSError):
                    os.unlink(temporary)

    def read_document(self, kind: str, key: str) -> dict[str, Any] | None:
        """Read a document; None when it is absent or not exactly what was written.

        The digest covers kind, key and body, so that neither a flipped bit nor two swapped
        files can pass. A damaged document is removed. Raises CannotBuild when others can write
        the store: payloads are held against what documents say.
        """
        place = self._place(kind, key, ".json")
        if not self._owned:
            with suppress(FileNotFoundError):
                self._check_owner()
        try:
            with open(place, "rb") as file:
                content = file.read()
        except OSError:
            return None
        body = document_body(kind, key, content)
        if body is not None:
            value: dict[str, Any] = json.loads(body)
            return value
        with suppress(OSError):
            os.unlink(place)
        return None

    def write_document(self, kind: str, key: str, value: dict[str, Any]) -> None:
        """Keep a small JSON document; raises CannotBuild when the disk does not take it."""
        body = json.dumps(value, separators=(",", ":")).encode("ascii")
        # Not synced: the embedded digest exposes a torn document, and losing one costs little.
        with self.writing(kind, key, ".json", durable=False) as temporary:
            temporary.write_bytes(_document(kind, key, body))

    def aside(self) -> Path:
        """Give a new name for what is on its way; what a dead process left under one goes."""
        with self._disk_errors():
            self._prepare()
        return Path(f"{self._base}/{_TEMPORARIES}/{temporary_mark()}")

    def _place(self, kind: str, key: str, suffix: str) -> str:
        plain = (kind + key).replace("-", "").replace("_", "")
        if len(key) < 2 or not (kind and plain.isascii() and plain.isalnum()):
            raise ValueError(f"not a key of the store: {kind!r} {key!r}")
        return f"{self._base}/{kind}/{key[:2]}/{key}{suffix}"

    def _new_temporary(self, suffix: str) -> str:
        path = f"{self._base}/{_TEMPORARIES}/{temporary_mark()}{suffix}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        self._prepare()
        try:
            os.close(os.open(path, flags, 0o600))
        except FileNotFoundError:
            # Somebody deleted the store while it was in use, as its README allows.
            self._ready = False
            self._prepare()
            os.close(os.open(path, flags, 0o600))
        return path

    def _prepare(self) -> None:
        with self._lock:
            if self._ready:
                return
            temporaries = f"{self._base}/{_TEMPORARIES}"
            os.makedirs(self._base, mode=0o700, exist_ok=True)
            self._check_owner()
            os.makedirs(temporaries, mode=0o700, exist_ok=True)
            for name, text in _PAPERS.items():
                with suppress(FileExistsError), open(f"{self._base}/{name}", "x") as file:
                    file.write(text)
            remove_leftovers(temporaries)
            self._ready = True

    def _check_owner(self) -> None:
        """Refuse a folder that somebody else could fill."""
        found = os.stat(self._base)
        user = getattr(os, "geteuid", lambda: found.st_uid)()
        if os.name == "posix" and found.st_uid != user:
            raise CannotBuild(f"the store `{self._base}` belongs to another user", hint=_HINT)
        if os.name == "posix" and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise CannotBuild(
                f"the store `{self._base}` can be written by other users",
                hint=f"chmod go-w '{self._base}'",
            )
        self._owned = True

    @contextmanager
    def _losses(self) -> Iterator[None]:
        """Tell what the block misses in the store: somebody pruned it meanwhile."""
        try:
            yield
        except FileNotFoundError as error:
            if not self._is_mine(error):
                raise
            raise EntryLostError(os.path.basename(str(error.filename))) from error

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        """Word what the disk says; errors about files outside the store pass through."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise CannotBuild(
                    f"no space left on the disk of the store `{self._base}`",
                    hint=f"free some space, or set {ENVIRONMENT_VARIABLE}=DIR on another disk",
                ) from error
            if error.errno is None or not (error.errno in _DISK or self._is_mine(error)):
                raise
            raise CannotBuild(
                f"cannot write the store `{self._base}`: {os.strerror(error.errno)}", hint=_HINT
            ) from error

    def _is_mine(self, error: OSError) -> bool:
        """Tell whether the error is about a path in the store, or about a parent of it."""
        name = str(error.filename or "?")
        return name.startswith(self._base) or self._base.startswith(name)


def document_body(kind: str, key: str, content: bytes) -> bytes | None:
    """Return the JSON inside a document's file, None when it is not exactly what was written."""
    body = content[_BODY_START:-2]
    return body if content == _document(kind, key, body) else None


def _document(kind: str, key: str, body: bytes) -> bytes:
    digest = hashlib.sha256(f"{kind}/{key}\n".encode() + body).hexdigest()
    return b"".join((_DOCUMENT_HEAD, digest.encode(), _DOCUMENT_MIDDLE, body, b"}\n"))


def _make_folder(path: str) -> None:
    """Make a folder that is this user's own, and the one of its kind: whatever the umask."""
    for folder in (os.path.dirname(path), path):
        os.makedirs(folder, mode=0o700, exist_ok=True)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
