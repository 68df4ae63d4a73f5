"""Large buffers that lie in nameless files, of which only what is worked on takes memory.

A compressor that wants its whole input at once still reads it front to back. What it has read
stays resident until somebody says that it need not: pages of a shared mapping are in the file,
and come back when they are touched again (madvise(2), MADV_DONTNEED).
"""

import mmap
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LARGE_BYTES = 4 * 1024 * 1024
"""Smaller buffers are plain memory."""

_OWN_MAPPING_BYTES = 2 * 1024 * 1024
_M_MMAP_THRESHOLD = -3  # malloc.h of glibc

_PAUSE_SECONDS = 0.005
_CHUNK = 1024 * 1024

Buffer = bytes | bytearray | memoryview


def room_for(length: int, folder: Path) -> bytearray | memoryview:
    """Return `length` zeros to be written over; large ones in a nameless file in `folder`.

    Raises OSError when the disk has no room for it, which a mapping could not say any more.
    """
    if length < LARGE_BYTES:
        return bytearray(length)
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, length)
        else:
            for start in range(0, length, _CHUNK):
                file.write(bytes(min(_CHUNK, length - start)))
            file.flush()
        return memoryview(mmap.mmap(file.fileno(), length))


def mapped_copy(chunks: Iterable[bytes], folder: Path) -> memoryview:
    """Write `chunks` into a nameless file in `folder` and return its contents, mapped."""
    with tempfile.TemporaryFile(dir=folder) as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def return_large_buffers() -> None:
    """Have the allocator give the system back what a large buffer took, as soon as it is freed.

    glibc raises the size from which it does so to that of the largest buffer freed so far, and
    keeps smaller ones for later, in a heap for each thread (mallopt(3), M_MMAP_THRESHOLD).
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 -- only where wheels are worked on

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)


class Residents:
    """The buffers of which little may be resident; what is no mapping is ignored."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._mappings: list[mmap.mmap] = []
        self._lock = threading.Lock()

    def add(self, buffer: Buffer) -> None:
        """Watch `buffer` too."""
        whole = buffer.obj if isinstance(buffer, memoryview) else None
        if isinstance(whole, mmap.mmap):
            with self._lock:
                self._mappings.append(whole)

    def shed(self) -> None:
        """Let everything go that can be read again."""
        with self._lock:
            for mapping in self._mappings:
                mapping.madvise(mmap.MADV_DONTNEED)


@contextmanager
def little_resident() -> Iterator[Residents]:
    """Yield a list of buffers to add to; while the block runs they are kept out of memory.

    A thread does it beside the work: no work that uses them can be interrupted for it. Linux
    only, where the call is known to leave the contents of shared mappings alone.
    """
    residents = Residents()
    if sys.platform != "linux":
        yield residents
        return
    over = threading.Event()

    def work() -> None:
        while not over.wait(_PAUSE_SECONDS):
            residents.shed()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield residents
    finally:
        over.set()
        thread.join()
