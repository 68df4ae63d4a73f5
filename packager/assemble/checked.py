"""Read payloads front to back while one thread takes their digests.

The digest proves that the bytes spliced are the bytes that were verified at admission. A thread
makes it nearly free, because sha256 runs without the interpreter's lock; one thread serves all
payloads, because starting one costs more than hashing a small payload.
"""

import hashlib
import os
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Self

_CHUNK = 1024 * 1024


class PayloadDamagedError(Exception):
    """A payload in the store is not what was written there; `key` tells which."""

    def __init__(self, key: str) -> None:
        """Name the payload by its key."""
        super().__init__(key)
        self.key = key


class DigestThread:
    """Takes the digest of what it is fed, for one payload after the other.

    As a context manager it raises PayloadDamagedError at the end when a digest differs from
    what was expected.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        # The bound keeps memory flat when hashing is slower than the disk.
        self._queue: Queue[bytes | tuple[str, str] | None] = Queue(maxsize=8)
        self._damaged: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Wait for the thread, and raise when it found damage."""
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._damaged:
            raise PayloadDamagedError(self._damaged[0])

    def feed(self, chunk: bytes) -> None:
        """Add `chunk` to the payload at hand."""
        self._queue.put(chunk)

    def close_payload(self, key: str, sha256: str) -> None:
        """End the payload `key`, whose digest must be `sha256` (lower-case hex)."""
        self._queue.put((key, sha256))

    def _run(self) -> None:
        digest = hashlib.sha256()
        while (item := self._queue.get()) is not None:
            if isinstance(item, bytes):
                digest.update(item)
                continue
            key, expected = item
            if digest.hexdigest() != expected:
                self._damaged.append(key)
            digest = hashlib.sha256()


class PayloadReader:
    """Reads the body of one payload once, front to back, feeding the digest thread."""

    def __init__(self, key: str, descriptor: int, digests: DigestThread) -> None:
        """Read from the open `descriptor`, from its beginning."""
        self._key = key
        self._descriptor = descriptor
        self._digests = digests
        self._offset = 0

    def read(self, amount: int) -> Iterator[bytes]:
        """Yield the next `amount` bytes in chunks; raises PayloadDamagedError when it is cut."""
        while amount:
            chunk = os.pread(self._descriptor, min(amount, _CHUNK), self._offset)
            if not chunk:
                raise PayloadDamagedError(self._key)
            self._offset += len(chunk)
            amount -= len(chunk)
            self._digests.feed(chunk)
            yield chunk

    def take(self, amount: int) -> bytes:
        """Return the next `amount` bytes at once."""
        return b"".join(self.read(amount))
