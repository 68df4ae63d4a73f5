"""Deflated streams that wait for their turn in one nameless file, so that they fill no memory."""

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1024 * 1024


class Spooled:
    """A stream in a spool."""

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        """Tell where it lies, in bytes; `descriptor` is the spool's."""
        self._place = descriptor, offset
        self._length = length

    def __len__(self) -> int:
        """Its length in bytes."""
        return self._length

    def chunks(self) -> Iterator[bytes]:
        """Yield it; raises OSError when the disk fails."""
        descriptor, start = self._place
        done = 0
        while done < self._length:
            chunk = os.pread(descriptor, min(self._length - done, _CHUNK), start + done)
            if not chunk:
                raise OSError("a file without a name became shorter")
            done += len(chunk)
            yield chunk


class Spool:
    """The waiting streams of one payload; the file is made with the first one, in `folder`.

    Several threads may add streams. Raises OSError when the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        """Open nothing yet."""
        self._folder = folder
        self._file: BinaryIO | None = None
        self._end = 0
        self._lock = threading.Lock()

    def keep(self, data: bytes | bytearray) -> Spooled:
        """Write `data` behind what is there; it can be read until `close`."""
        with self._lock:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 -- see close()
            descriptor, offset = self._file.fileno(), self._end
            self._end += len(data)
        view, done = memoryview(data), 0
        while done < len(view):
            done += os.pwrite(descriptor, view[done:], offset + done)
        return Spooled(descriptor, offset, len(data))

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()
