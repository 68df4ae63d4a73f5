"""Copy what an artifact begins with, in the system where it can, and hash what arrived.

Two threads: one copies, the other reads the new file behind it and takes the digest. So each byte
is hashed once, for the proof that it is what was verified and for the artifact's own digest alike.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

from packager.assemble.checked import PayloadDamagedError
from packager.model.prefix import Prefix

if TYPE_CHECKING:
    from hashlib import _Hash

_COPY_BYTES = 4 * 1024 * 1024
_READ_BYTES = 1024 * 1024


class PrefixCopy:
    """The prefix on its way into the file at `target`; a context manager that ends its threads."""

    def __init__(
        self,
        prefix: Prefix,
        payloads: Sequence[tuple[str, Path]],
        target: Path,
        *,
        there: bool = False,
    ) -> None:
        """Take the payloads' keys and places, in the order that `prefix` counts them.

        A prefix that is `there` already only has to be proved.
        """
        self.target = target
        self._prefix = prefix
        self._payloads = payloads
        self._arrived: SimpleQueue[int | None] = SimpleQueue()
        self._digest = hashlib.sha256()
        self._trouble: list[Exception] = []
        self._stopping = False
        self._begun = False
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in ((self._hash,) if there else (self._copy, self._hash))
        ]
        if there:
            self._arrived.put(prefix.body_bytes)
            self._arrived.put(None)

    def __enter__(self) -> Self:
        """Begin to copy, unless somebody did already."""
        if not self._begun:
            self.begin()
        return self

    def begin(self) -> None:
        """Start the threads; who does so without a block has to leave by `__exit__` too."""
        self._begun = True
        for thread in self._threads:
            thread.start()

    def is_of(self, prefix: Prefix) -> bool:
        """Tell whether these are the bytes of `prefix`, put together in the same way."""
        return self._prefix[:3] == prefix[:3]

    def __exit__(self, *_: object) -> None:
        """End the threads, finished or not."""
        self._stopping = True
        for thread in self._threads:
            thread.join()

    def finish(self) -> "_Hash":
        """Wait for everything and return the digest, to be continued with what comes next.

        Raises PayloadDamagedError with an empty key when the bytes are not those that were
        verified, and OSError for what the disk did.
        """
        for thread in self._threads:
            thread.join()
        if self._trouble:
            raise self._trouble[0]
        if self._digest.hexdigest() != self._prefix.sha256:
            raise PayloadDamagedError("")
        return self._digest

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, PayloadDamagedError) as error:
            self._trouble.append(error)
        finally:
            self._arrived.put(None)

    def _copy(self) -> None:
        output = os.open(self.target, os.O_WRONLY)
        position, opened, source = 0, -1, -1
        try:
            for payload, offset, length in self._prefix.ranges:
                if payload != opened:
                    if source >= 0:
                        os.close(source)
                        source = -1
                    opened, source = payload, self._open(payload)
                self._copy_range(source, output, (offset, length), position, payload)
                position += length
        finally:
            os.close(output)
            if source >= 0:
                os.close(source)

    def _open(self, payload: int) -> int:
        key, path = self._payloads[payload]
        try:
            return os.open(path, os.O_RDONLY)
        except OSError as error:
            raise PayloadDamagedError(key) from error

    def _copy_range(
        self, source: int, output: int, part: tuple[int, int], position: int, payload: int
    ) -> None:
        offset, left = part
        while left and not self._stopping:
            copied = copy_some(source, output, min(left, _COPY_BYTES), offset, position)
            if not copied:
                raise PayloadDamagedError(self._payloads[payload][0])
            offset, position, left = offset + copied, position + copied, left - copied
            self._arrived.put(position)

    def _hash(self) -> None:
        buffer = memoryview(bytearray(_READ_BYTES))
        done = 0
        with self.target.open("rb", buffering=0) as file:
            while (position := self._arrived.get()) is not None:
                while done < position:
                    count = file.readinto(buffer[: position - done])
                    if not count:
                        raise OSError("the file became shorter while it was written")
                    self._digest.update(buffer[:count])
                    done += count


def copy_some(source: int, output: int, count: int, offset: int, position: int) -> int:
    """Copy up to `count` bytes between open files and return how many; 0 at the source's end.

    In the system, where it can do that (Linux; some file systems then share the blocks),
    otherwise through memory.
    """
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, output, count, offset, position)
        except OSError:
            # Another file system, or one that cannot. What is really wrong shows below.
            pass
    data = os.pread(source, count, offset)
    view = memoryview(data)
    while view:
        view = view[os.pwrite(output, view, position + len(data) - len(view)) :]
    return len(data)
