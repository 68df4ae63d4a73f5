"""What the last build found out about dependencies, and whether it still holds.

Two documents in the store: a pointer per project and settings, which lists the files that were
read, and the dependencies under a key of their content. A pointer holds while every file is the
same; a file with a new date but the old bytes is the same.
"""

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packager import __version__
from packager.code_identity import code_identity
from packager.errors import CannotBuild
from packager.leftovers import is_temporary
from packager.model.deflating import encoder
from packager.model.layer import LayerReference
from packager.model.offload import SUFFIXES, Offloaded
from packager.model.payload import Dependencies, Payload
from packager.model.project import Function
from packager.wheels.store import EntryLostError, Store

ALTERATIONS = 5
"""How often one thing in the store may be altered while one build works with it."""
REMOVALS = 25
"""How often one thing may be gone: somebody may prune again and again beside a slow build."""

# A file written to this recently may change again without a visible difference.
_RACY_NS = 50_000_000
_SKIPPED_FOLDERS = {"__pycache__", "build", "dist", "node_modules", "venv"}
# The files among the settings, catalog and trace, count by their contents instead.
_SETTINGS = (
    "runtime", "architecture", "kind", "requirements", "allow_sdist", "allow_record_mismatch",
    "subtract", "index_url", "extra_index_urls", "index_strategy", "resolver", "exclude_newer",
    "slim", "slim_rules", "keep", "drop", "services", "strip", "release", "bytecode",
    "added_requirements", "attestations", "publishers",
    "offload", "offload_from", "offload_codec", "offload_url", "ephemeral_storage", "snapstart",
)  # fmt: skip

_CHOOSING = frozenset({
    "requirements", "index_url", "extra_index_urls", "index_strategy", "resolver", "exclude_newer",
})  # fmt: skip


class Memory:
    """Remembers the dependencies of one function.

    A bill of materials is read from the wheels: who wants one remembers only while they are there.
    """

    def __init__(self, store: Store, function: Function) -> None:
        """Use `store` for `function`; nothing is read yet."""
        self.store = store
        self.needs_wheels = function.sbom
        root = str(function.trusted_root)
        places = [str(function.root), str(function.catalog), str(function.trace), root]
        places += map(str, layer_files(function))
        settings = settings_of(function)
        self._pointer = key_of("pointer", code_identity(), encoder(), places, settings)

    def recall(self) -> Dependencies | None:
        """Return what is remembered if nothing it stands on has changed."""
        pointer = self.store.read_document("pointers", self._pointer)
        if pointer is None:
            return None
        if not all(_holds(*entry) for entry in pointer["files"]):
            return None
        if any(tree_digest(path) != digest for path, digest in pointer["trees"]):
            return None
        return self.recall_content(pointer["dependencies"])

    def recall_content(self, key: str) -> Dependencies | None:
        """Return the dependencies of a content key when all their payloads are in the store."""
        document = self.store.read_document("dependencies", key)
        if document is None:
            return None
        dependencies = Dependencies.from_document(document)
        wheels = [each.wheel_sha256 for each in dependencies.distributions if self.needs_wheels]
        if not all(self.store.has_wheel(each) for each in wheels):
            return None
        for distribution in dependencies.shipped:
            if not all(is_whole(self.store, payload) for payload in distribution.payloads):
                return None
            if distribution.offloaded and not archive_is_whole(self.store, distribution.offloaded):
                return None
        return dependencies

    def remember(self, key: str, dependencies: Dependencies, *, seen: dict[str, Any]) -> None:
        """Keep `dependencies` under their content key and point at them."""
        self.store.write_document("dependencies", key, dependencies.to_document())
        self.point(key, seen=seen)

    def point(self, key: str, *, seen: dict[str, Any]) -> None:
        """Tell that the project as it was `seen` leads to `key`."""
        self.store.write_document("pointers", self._pointer, {**seen, "dependencies": key})

    def files(self) -> list[str]:
        """Return the files the remembered dependencies stand on, those of local projects too."""
        pointer = self.store.read_document("pointers", self._pointer)
        if pointer is None:
            return []
        below = [name for root, _ in pointer["trees"] for name in tree_files(root)]
        return [path for path, *_ in pointer["files"]] + below

    def forget(self) -> None:
        """Drop the pointer, so that the next look resolves again."""
        self.store.discard("pointers", self._pointer, ".json")


def is_whole(store: Store, payload: Payload) -> bool:
    """Tell whether the file of `payload` is in the store in its full length."""
    return store.has("payloads", payload.key, ".zip", payload.file_bytes)


def archive_file(store: Store, archive: Offloaded) -> Path:
    """Where the archive of an offloaded distribution lies in the store."""
    return store.file("offload", archive.key, SUFFIXES[archive.codec])


def archive_is_whole(store: Store, archive: Offloaded) -> bool:
    """Tell whether the archive is in the store in its full length."""
    return store.has("offload", archive.key, SUFFIXES[archive.codec], archive.compressed_bytes)


def proven_payload(store: Store, payload: Payload) -> Path:
    """Give the place of a payload after hashing it: for those who make something of it.

    Assembly hashes what it copies and needs no such look. Raises EntryLostError, after removing
    a damaged payload, when it has to be made again.
    """
    place = store.file("payloads", payload.key, ".zip")
    digest = digest_of(place)
    if digest != payload.sha256:
        store.discard("payloads", payload.key, ".zip")
        raise EntryLostError(f"the payload {payload.key}", altered=digest is not None)
    return place


class Losses:
    """What the store lost while something was made of it, so that healing it comes to an end.

    Any number of files may be damaged at once; one that is damaged again and again was made anew
    each time, so that the store is to blame.
    """

    def __init__(self, store: Store) -> None:
        """Begin with a store that has lost nothing."""
        self._store = store
        self._counts: Counter[tuple[str, bool]] = Counter()

    def note(self, key: str, *, altered: bool) -> None:
        """Count one loss of `key`; raises CannotBuild when that happened too often.

        Unfinished files have a new name each time, so that they are counted together.
        """
        counted = "" if is_temporary(key) else key, altered
        self._counts[counted] += 1
        if self._counts[counted] == (ALTERATIONS if altered else REMOVALS):
            raise unreliable(self._store)


def unreliable(store: Store) -> CannotBuild:
    """Word that the store keeps losing what is written to it."""
    return CannotBuild(
        f"the store `{store.root}` loses or alters what is written to it",
        hint="check the disk, or set LPACK_CACHE_DIR=DIR to use another one",
    )


def look_at(files: Iterable[Path], trees: Iterable[Path]) -> dict[str, Any]:
    """Note what `files` and `trees` are now.

    To be called when they were read, not when the work on them is done: an edit in between has
    to be noticed by the next build.
    """
    return {
        "files": [_entry(path) for path in files],
        "trees": [[str(path), tree_digest(str(path))] for path in trees],
    }


def settings_of(function: Function) -> list[Any]:
    """Return the settings that decide the dependencies, as JSON-ready values."""
    # Where a layer lies does not count, as with catalog and trace.
    layers = [
        each.name if isinstance(each, LayerReference) else _plain(each) for each in function.layers
    ]
    return [*(_plain(getattr(function, name)) for name in _SETTINGS), layers]


def portable_settings_of(function: Function) -> list[Any]:
    """Return those of `settings_of` that count once every file is chosen, on any machine."""
    names = [name for name in _SETTINGS if name not in _CHOOSING]
    settings = dict(zip(_SETTINGS, settings_of(function), strict=False))
    return [*(settings[name] for name in names), settings_of(function)[-1]]


def layer_files(function: Function) -> list[Path]:
    """Return the files of the layers that were built elsewhere, and the zips beside manifests."""
    given = [each.path for each in function.layers if isinstance(each, LayerReference)]
    beside = [
        path.with_name(path.name.removesuffix(".lpack.json") + ".zip")
        for path in given
        if path.name.endswith(".lpack.json")
    ]
    return [*given, *beside]


def key_of(*values: object) -> str:
    """Return the store key of JSON-ready values, bound to this version of lpack."""
    return lasting_key_of(__version__, *values)


def lasting_key_of(*values: object) -> str:
    """Return the store key of JSON-ready values that outlive this version of lpack."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(path: str | Path) -> str | None:
    """Return the sha256 of a file, None when there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def tree_files(root: str) -> Iterator[str]:
    """Yield all files and folders below `root`, without what builds leave behind."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED_FOLDERS and not name.startswith(".") and "egg-info" not in name
        )
        yield folder
        for name in sorted(files):
            yield os.path.join(folder, name)


def tree_digest(root: str) -> str:
    """Digest the names, sizes and dates of the files below `root`.

    The date of the last change counts too: programs can set the other one back.
    """
    digest = hashlib.sha256()
    for path in tree_files(root):
        if not os.path.isdir(path):
            status = os.lstat(path)
            line = f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\0"
            digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def identity_of(path: str) -> list[int] | None:
    """Return what changes with the contents of a file, None when there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _entry(path: Path) -> list[Any]:
    identity = identity_of(str(path))
    if identity is not None and time.time_ns() - max(identity[1:3]) < _RACY_NS:
        identity = None
    return [str(path), identity, digest_of(path)]


def _holds(path: str, identity: list[int] | None, digest: str | None) -> bool:
    now = identity_of(path)
    if now is None:
        return digest is None
    return now == identity or digest_of(path) == digest
