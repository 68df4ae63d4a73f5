"""Take sha256 digests in a thread beside the reading and writing.

sha256 runs without the interpreter's lock, so that a thread makes a digest nearly free. One
thread serves many digests, because starting one costs more than hashing a small payload.
"""

import hashlib
import threading
from queue import Queue


class _Mark:
    """What `mark` puts into the queue."""


class BackgroundDigests:
    """Digests of consecutive pieces of what it is fed.

    The thread starts with the first chunk. Memory is bounded: `feed` waits when the thread is
    eight chunks behind.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self._queue: Queue[bytes | _Mark | None] = Queue(maxsize=8)
        self._digests: list[str] = []
        self._thread: threading.Thread | None = None

    def feed(self, chunk: bytes) -> None:
        """Add `chunk` to the piece at hand; an empty chunk changes nothing."""
        if not chunk:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._queue.put(chunk)

    def cut(self) -> None:
        """End the piece at hand; the next chunk begins another."""
        if self._thread is None:
            self._digests.append(hashlib.sha256().hexdigest())
        else:
            # An empty chunk is the mark of a cut: `feed` never queues one.
            self._queue.put(b"")

    def mark(self) -> None:
        """Note the digest of the piece so far, which goes on."""
        if self._thread is None:
            self._digests.append(hashlib.sha256().hexdigest())
        else:
            self._queue.put(_Mark())

    def close(self) -> list[str]:
        """Wait for the thread and return the digests (lower-case hex) of all pieces and marks."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        return self._digests

    def _run(self) -> None:
        digest = hashlib.sha256()
        while (chunk := self._queue.get()) is not None:
            if isinstance(chunk, _Mark):
                self._digests.append(digest.copy().hexdigest())
            elif chunk:
                digest.update(chunk)
            else:
                self._digests.append(digest.hexdigest())
                digest = hashlib.sha256()
