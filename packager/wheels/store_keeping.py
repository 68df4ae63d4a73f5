"""Looking after the store: what is in it, whether it is whole, and what may go.

Safe beside running builds: an entry is removed by one `unlink` or `rename`, readers keep what
they have open, and a build that misses an entry makes it again.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from packager.leftovers import remove_leftovers
from packager.wheels.store import Store, document_body

SPARE_SECONDS = 60.0
"""How long a new entry is safe from pruning."""

_CHUNK_BYTES = 1 << 20
# The temporaries, and the files that explain the folder.
# Of what lies beside a document under the same key: the end of an artifact's beginning, a folder.
_ITS_OWN = ("content", "folder_sha256")
# What tells a payload or layer, and an archive for /tmp, from other values with a key.
_OF_A_FILE = frozenset({"file_bytes", "archive"})
_NO_ENTRIES = frozenset({"tmp", "README", "CACHEDIR.TAG"})


class Entry(NamedTuple):
    """One thing in the store: a file, or a folder that counts as a whole.

    `used_ns` is when it was last read, as far as the file system notes that, or else written
    (`written_ns`); both in ns since 1970.
    """

    kind: str
    path: Path
    bytes: int
    written_ns: int
    used_ns: int


class Damage(NamedTuple):
    """An entry that is not what its name says; `reason` in words."""

    path: Path
    reason: str


class Verdict(NamedTuple):
    """What a look at all entries found."""

    entries: int
    bytes: int
    damaged: tuple[Damage, ...]


def list_entries(store: Store) -> Iterator[Entry]:
    """Yield all entries; what disappears meanwhile is left out."""
    for kind in _folders(store.root):
        if kind.name in _NO_ENTRIES:
            continue
        for shelf in _folders(kind):
            places = [shelf] if kind.name == "built" else _children(shelf)
            for place in places:
                with suppress(FileNotFoundError):
                    yield _entry(kind.name, place)


def verify_store(store: Store, *, repair: bool = False) -> Verdict:
    """Read every byte and hold it against the digest it is stored under.

    Wheels and pulled layers carry their digest as their name, documents inside. Documents tell
    the digests of payloads, layers, archives, what artifacts begin with and folders to run in;
    what no document tells of is never used. With `repair`, what is damaged is removed: whoever
    needs it next makes it again.
    """
    entries = list(list_entries(store))
    told: dict[str, str] = {}
    damaged: list[Damage] = []
    # Documents first: they tell what the others must be.
    for entry in sorted(entries, key=lambda each: each.path.suffix != ".json"):
        with suppress(FileNotFoundError):
            reason = _fault(entry, told)
            if reason is not None:
                damaged.append(Damage(entry.path, reason))
    if repair:
        for damage in damaged:
            remove(damage.path, store)
    return Verdict(len(entries), sum(entry.bytes for entry in entries), tuple(damaged))


def prune_store(
    store: Store,
    *,
    unused_seconds: float | None = None,
    keep_bytes: int | None = None,
    spare_seconds: float = SPARE_SECONDS,
) -> tuple[Entry, ...]:
    """Remove what was not used for `unused_seconds`, then the longest unused above `keep_bytes`.

    What was written in the last `spare_seconds` stays: a running build is about to need it, and
    it would only make it again. Returns what was removed. Temporaries of dead processes go, too.
    """
    remove_leftovers(str(store.root / "tmp"))
    entries = sorted(list_entries(store), key=lambda each: each.used_ns)
    left = sum(entry.bytes for entry in entries)
    limit_ns = None if unused_seconds is None else time.time_ns() - int(unused_seconds * 1e9)
    spared_ns = time.time_ns() - int(spare_seconds * 1e9)
    gone = []
    for entry in entries:
        if entry.written_ns > spared_ns:
            continue
        old = limit_ns is not None and entry.used_ns < limit_ns
        if old or (keep_bytes is not None and left > keep_bytes):
            remove(entry.path, store)
            left -= entry.bytes
            gone.append(entry)
    return tuple(gone)


def remove(path: Path, store: Store) -> None:
    """Remove an entry in one step; one that is gone already is fine."""
    with suppress(FileNotFoundError):
        if not path.is_dir():
            path.unlink()
            return
        aside = store.aside()
        path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def folder_digest(folder: Path) -> str:
    """Return the sha256 of the names and contents of all files below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{_digest_of(path)}\n".encode())
    return digest.hexdigest()


def _fault(entry: Entry, told: dict[str, str]) -> str | None:
    """Say what is wrong with `entry`; notes what documents have `told` of others, by their key."""
    path = entry.path
    if path.suffix == ".json":
        body = document_body(entry.kind, path.stem, path.read_bytes())
        if body is None:
            return "it is torn or altered"
        value = json.loads(body)
        told.update(_told_in(value))
        told.update((path.stem, value[name]) for name in _ITS_OWN if name in value)
        return None
    if path.suffix == ".whl" or entry.kind == "pulled":
        return None if _digest_of(path) == path.stem else "its bytes are not those of its name"
    if entry.kind == "built":
        wheels = [each for each in _children(path) if each.suffix == ".whl"]
        sound = all(_digest_of(wheel) == path.name for wheel in wheels)
        return None if sound else "its bytes are not those of its name"
    wanted = told.get(path.name.partition(".")[0])
    # A zip that is kept to be written over has the key of what it begins with, and is hashed then.
    if wanted is None or entry.kind == "retired":
        return None
    found = folder_digest(path) if path.is_dir() else _digest_of(path)
    return None if found == wanted else "its bytes are not those that were written"


def _told_in(value: Any) -> dict[str, str]:  # noqa: ANN401 -- JSON
    """Find every payload, layer and archive that a document tells of, by its key."""
    found: dict[str, str] = {}
    if isinstance(value, dict):
        if {"key", "sha256"} <= value.keys() and value["key"] and value.keys() & _OF_A_FILE:
            found[value["key"]] = value["sha256"]
        for each in value.values():
            found |= _told_in(each)
    elif isinstance(value, list):
        for each in value:
            found |= _told_in(each)
    return found


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _entry(kind: str, place: Path) -> Entry:
    status = place.lstat()
    written_ns = status.st_mtime_ns
    if not place.is_dir():
        used_ns = max(status.st_atime_ns, written_ns)
        return Entry(kind, place, status.st_size, written_ns, used_ns)
    inside = [Path(top, name) for top, _, names in os.walk(place) for name in names]
    found = [path.lstat() for path in inside]
    used_ns = max([written_ns, *(each.st_atime_ns for each in found)])
    return Entry(kind, place, sum(each.st_size for each in found), written_ns, used_ns)


def _folders(folder: Path) -> list[Path]:
    return [path for path in _children(folder) if path.is_dir()]


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
