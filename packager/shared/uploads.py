"""What a build adds to the shared store, when everything else is done.

Bytes go first, then the documents that tell of them, so that a document never leads to nothing.
"""

import hashlib
import io
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from packager.model.shared_store import Blob, FailedError
from packager.shared.client import SharedStore
from packager.shared.outgoing import Outgoing
from packager.shared.pace import Pace, at_once
from packager.shared.values import blob_path, document_path, encode_document


class Uploaded(NamedTuple):
    """What went up: values, their bytes, and whether that was all."""

    values: int
    bytes: int
    complete: bool


class _Document(NamedTuple):
    """A document and the bytes it tells of."""

    kind: str
    key: str
    value: dict[str, Any]
    blobs: frozenset[str]


class Uploads:
    """What waits to be uploaded; may be filled by several threads."""

    def __init__(self, shared: SharedStore) -> None:
        """Nothing waits yet."""
        self._shared = shared
        self._lock = threading.Lock()
        self._blobs: dict[str, tuple[Blob, Path]] = {}
        self._documents: dict[str, _Document] = {}
        self._there: set[str] = set()
        self._values = 0
        self._bytes = 0
        self._pace = Pace(shared.patience)

    def note_there(self, sha256: str) -> None:
        """Note that the shared store has these bytes."""
        self._there.add(sha256)

    def add(
        self, kind: str, key: str, value: dict[str, Any], blobs: dict[Blob, Path] | None = None
    ) -> None:
        """Have a document uploaded after the `blobs` it tells of, which lie in files."""
        blobs = blobs or {}
        with self._lock:
            for blob, path in blobs.items():
                if blob.sha256 not in self._there:
                    self._blobs[blob.sha256] = (blob, path)
            told = frozenset(blob.sha256 for blob in blobs)
            self._documents[document_path(kind, key)] = _Document(kind, key, value, told)

    def finish(self) -> Uploaded:
        """Upload what waits; never raises, and ends within the patience for it."""
        with self._lock:
            blobs, documents = list(self._blobs.values()), dict(self._documents)
            self._blobs.clear()
            self._documents.clear()
        complete = self._do([lambda each=each: self._blob(*each) for each in blobs])  # type: ignore[misc]
        ready = {
            path: document for path, document in documents.items() if document.blobs <= self._there
        }
        complete &= self._do(
            [lambda each=each: self._document(*each) for each in ready.items()]  # type: ignore[misc]
        )
        return Uploaded(self._values, self._bytes, complete and len(ready) == len(documents))

    def _do(self, works: list[Callable[[], None]]) -> bool:
        if self._shared.is_off:
            return False
        self._pace = Pace(self._shared.patience)
        seconds = self._shared.patience.last_uploads
        return not works or at_once(works, self._pace, deadline_seconds=seconds)

    def _blob(self, blob: Blob, path: Path) -> None:
        # The local store may have lost or altered it since.
        with suppress(OSError), path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != blob.sha256:
                return
            file.seek(0)
            path_there = blob_path(blob.sha256)
            wrong = path_there in self._shared.wrong
            if self._put(path_there, file, blob.bytes, replaces=wrong):
                self._there.add(blob.sha256)

    def _document(self, path: str, document: _Document) -> None:
        kind, key, value, _ = document
        content = encode_document(kind, key, value, secret=self._shared.settings.key)
        self._put(path, io.BytesIO(content), len(content), replaces=True)

    def _put(self, path: str, value: BinaryIO, count: int, *, replaces: bool) -> bool:
        """Put a value, unless one is there already that counts; tell whether it is there now."""
        if self._shared.is_off:
            return False
        try:
            place = self._shared.place()
            if not replaces and place.has(path):
                return True
            place.write(path, Outgoing(value, count, self._pace.heard))
        except FailedError as failure:
            self._shared.note(f"nothing can be added ({failure.reason})", final=failure.final)
            return False
        with self._lock:
            self._values += 1
            self._bytes += count
        return True
