"""The shared store as a build uses it: it may help, and it can never hurt.

Everything that arrives is held against its digest before it counts. What fails is told once and
then nothing more is asked; the build goes on as if there were no shared store.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from packager.errors import LpackError
from packager.model.shared_store import (
    PATIENCE,
    Blob,
    FailedError,
    NoPlaceError,
    Patience,
    SharedPlace,
    WrongValueError,
)
from packager.shared.outgoing import Outgoing
from packager.shared.pace import Pace, at_once
from packager.shared.settings import OBJECT_STORES, shown
from packager.shared.values import (
    LARGEST_DOCUMENT_BYTES,
    blob_path,
    decode_document,
    document_path,
)

_SHOWN_BYTES: Final = 12

Name = tuple[str, str]
"""Kind and key of a document."""


class Place(Protocol):
    """A server: values under relative paths. Every method raises FailedError."""

    def read(self, path: str) -> Iterator[bytes] | None:
        """Give the chunks of a value, None when there is none."""

    def has(self, path: str) -> bool:
        """Tell whether a value is there."""

    def write(self, path: str, value: Outgoing) -> None:
        """Put a value."""


class SharedStore:
    """One shared store in one process; may be used by several threads."""

    def __init__(self, settings: SharedPlace, *, patience: Patience = PATIENCE) -> None:
        """Connect to nothing yet."""
        self.settings = settings
        self.patience = patience
        self.wrong: set[str] = set()
        self._subject = f"the shared store `{shown(settings)}`"
        self._place: Place | None = None
        self._lock = threading.Lock()
        self._failures = 0
        self._wrong_values = 0
        self._off = False
        self._unread = False
        self._warnings: list[str] = []

    @property
    def is_off(self) -> bool:
        """Whether it is neither read nor written any more."""
        return self._off

    def warnings(self) -> list[str]:
        """Return what a person should know and was not told yet."""
        with self._lock:
            told, self._warnings = self._warnings, []
        return told

    def documents(
        self, names: Sequence[Name], check: Callable[[Name, dict[str, Any]], None]
    ) -> None:
        """Ask for documents, several at once; `check` is called with each that is there.

        `check` may be called in any thread, and raises WrongValueError for what it cannot use.
        """

        def one(name: Name) -> None:
            chunks = self.place().read(document_path(*name))
            if chunks is None:
                return
            try:
                content = b"".join(_limited(_counted(chunks, pace), LARGEST_DOCUMENT_BYTES))
                check(name, decode_document(*name, content, secret=self.settings.key))
            except WrongValueError as wrong:
                self._note_wrong(document_path(*name), str(wrong))

        pace = Pace(self.patience)
        self._do([lambda name=name: one(name) for name in names], pace)  # type: ignore[misc]

    def blobs(
        self, blobs: Sequence[Blob], receive: Callable[[Blob, Iterator[bytes]], None]
    ) -> None:
        """Ask for bytes, several at once, the largest first.

        `receive` gets the chunks of each that is there, in any thread; reading them to the end
        raises WrongValueError when they are not the bytes that were meant.
        """

        def one(blob: Blob) -> None:
            chunks = self.place().read(blob_path(blob.sha256))
            if chunks is None:
                return
            try:
                receive(blob, _proven(_counted(chunks, pace), blob))
            except WrongValueError as wrong:
                self._note_wrong(blob_path(blob.sha256), str(wrong))

        pace = Pace(self.patience)
        ordered = sorted(set(blobs), key=lambda blob: (-blob.bytes, blob.sha256))
        self._do([lambda blob=blob: one(blob) for blob in ordered], pace)  # type: ignore[misc]

    def place(self) -> Place:
        """Return the server's client, made when it is first needed; raises FailedError."""
        with self._lock:
            if self._place is None:
                self._place = self._open()
            return self._place

    def give_up(self, reason: str) -> None:
        """Neither read nor write any more, and tell so once."""
        with self._lock:
            if not self._off:
                self._off = True
                self._warnings.append(f"{self._subject} is not used further: {reason}")

    def note(self, reason: str, *, final: bool) -> None:
        """Count a failure; the last one, or a `final` one, ends the use of the store."""
        with self._lock:
            self._failures += 1
            over = final or self._failures >= self.patience.failures
        if over:
            self.give_up(reason)

    def _do(self, works: Sequence[Callable[[], None]], pace: Pace) -> None:
        def guarded(work: Callable[[], None]) -> None:
            if self._off or self._unread:
                return
            try:
                work()
            except FailedError as failure:
                self.note(failure.reason, final=failure.final)
            except LpackError as error:
                self.give_up(error.message)
            except OSError as error:
                self.give_up(f"this machine's disk: {error.strerror}")

        if self._off or self._unread or not works:
            return
        calls = [lambda work=work: guarded(work) for work in works]
        if not at_once(calls, pace):
            self.give_up("it is too slow")

    def _note_wrong(self, path: str, reason: str) -> None:
        """Tell of a wrong value; after some of them nothing more is read, but still written."""
        with self._lock:
            self.wrong.add(path)
            self._wrong_values += 1
            if self._unread:
                return
            self._unread = self._wrong_values >= self.patience.failures
            rest = ", and no others are asked for" if self._unread else ""
            self._warnings.append(f"{self._subject} has a wrong value, not used: {reason}{rest}")

    def _open(self) -> Place:
        url = self.settings.url
        try:
            if url.partition(":")[0] in OBJECT_STORES:
                from packager.shared.object_place import ObjectPlace  # noqa: PLC0415 -- an extra

                return ObjectPlace(url, self.patience)
            from packager.shared.http_place import HttpPlace  # noqa: PLC0415 -- only when asked

            return HttpPlace(url, self.patience)
        except NoPlaceError as error:
            raise FailedError(str(error), final=True) from None


def _counted(chunks: Iterator[bytes], pace: Pace) -> Iterator[bytes]:
    for chunk in chunks:
        pace.heard(len(chunk))
        yield chunk


def _limited(chunks: Iterator[bytes], largest_bytes: int) -> Iterator[bytes]:
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > largest_bytes:
            raise WrongValueError(f"it is longer than {largest_bytes} bytes")
        yield chunk


def _proven(chunks: Iterator[bytes], blob: Blob) -> Iterator[bytes]:
    """Yield `chunks` and raise WrongValueError at the end unless they are those of `blob`."""
    name = f"`{blob.sha256[:_SHOWN_BYTES]}…`"
    digest = hashlib.sha256()
    received = 0
    for chunk in _limited(chunks, blob.bytes):
        received += len(chunk)
        digest.update(chunk)
        yield chunk
    if received != blob.bytes:
        raise WrongValueError(f"{name} has {received} bytes instead of {blob.bytes}")
    if digest.hexdigest() != blob.sha256:
        raise WrongValueError(f"{name} has another sha256")
