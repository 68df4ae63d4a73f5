"""A file that is written beside its final name, synced and renamed, or not there at all."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from packager.assemble.digests import BackgroundDigests
from packager.errors import CannotBuild
from packager.leftovers import remove_leftovers, temporary_mark


class Output:
    """Receives bytes front to back; `offset` is how many came, the digest is taken on the way."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Write to the open `descriptor` of `path`, which is not the final name yet."""
        self.path = path
        self._descriptor = descriptor
        self._syncing: threading.Thread | None = None
        self._trouble: OSError | None = None
        self._digests = BackgroundDigests()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self.offset = 0

    def write(self, data: bytes) -> None:
        """Append `data`; small pieces are gathered before they go to the disk."""
        self.offset += len(data)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= 1 << 20:
            self.flush()

    def flush(self) -> None:
        """Hand everything gathered to the operating system."""
        if not self._pending:
            return
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending, self._pending_bytes = [], 0
        self._digests.feed(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def hexdigest(self) -> str:
        """Return the sha256 of everything written; nothing can be written after it."""
        self.flush()
        self._digests.cut()
        return self._digests.close()[-1]

    def begin_sync(self) -> None:
        """Start to bring everything written to the disk, beside what the caller does next."""
        self.flush()
        self._syncing = threading.Thread(target=self._sync, daemon=True)
        self._syncing.start()

    def sync(self) -> None:
        """Return when everything written is on the disk; raises OSError."""
        self.flush()
        if self._syncing is None:
            os.fsync(self._descriptor)
            return
        self._syncing.join()
        if self._trouble is not None:
            raise self._trouble

    def _sync(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._trouble = error

    def close(self) -> None:
        """End the threads of an output that is given up; afterwards it can be closed."""
        self._digests.close()
        if self._syncing is not None:
            self._syncing.join()


@contextmanager
def atomic_output(destination: Path) -> Iterator[Output]:
    """Yield an Output that becomes `destination` when the block ends without an exception.

    The bytes are on disk (fsync) before the rename and the rename is on disk before this
    returns, so that after a crash the old file or the new one is there. Raises CannotBuild for
    what the file system refuses; nothing is left behind.
    """
    temporary = destination.with_name(f".{destination.name}.{temporary_mark()}.part")
    descriptor = -1
    output = None
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        if destination.is_dir():
            raise CannotBuild(f"cannot write `{destination}`: a folder has this name")
        remove_leftovers(str(destination.parent), prefix=".", suffix=".part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(temporary, flags, 0o666)
        output = Output(temporary, descriptor)
        yield output
        output.sync()
        # Closed whatever close() says: a second one could hit a file of another thread.
        closing, descriptor = descriptor, -1
        os.close(closing)
        temporary.replace(destination)
        _sync_folder(destination.parent)
    except OSError as error:
        raise _refusal(destination, error) from error
    finally:
        if output is not None:
            output.close()
        if descriptor >= 0:
            os.close(descriptor)
        with suppress(OSError):
            temporary.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refusal(destination: Path, error: OSError) -> CannotBuild:
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = f"free some space where `{destination.parent}` lies, or choose another --target-dir"
    else:
        hint = "choose a folder you may write to with --target-dir"
    return CannotBuild(f"cannot write `{destination}`: {reason}", hint=hint)
