"""A file that is written beside its final name, synced and renamed, or not there at all."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from packager.assemble.digests import BackgroundDigests
from packager.assemble.retired import LARGE_BYTES, retire
from packager.errors import CannotBuild
from packager.leftovers import remove_leftovers, temporary_mark

_NONBLOCKING = getattr(os, "O_NONBLOCK", 0)


class Output:
    """Receives bytes front to back; `offset` is how many came.

    Unless told otherwise it takes the digest on the way, in a thread of its own.
    """

    def __init__(self, path: Path, descriptor: int, *, hashed: bool = True) -> None:
        """Write to the open `descriptor` of `path`, which is not the final name yet."""
        self.path = path
        self._descriptor = descriptor
        self._digests = BackgroundDigests()
        self._hashing = hashed
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
        if self._hashing:
            self._digests.feed(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def mark(self) -> None:
        """Note the digest of everything written so far; `hexdigests` gives it."""
        self.flush()
        self._digests.mark()

    def skip(self, count_bytes: int) -> None:
        """Leave the first `count_bytes` to somebody else."""
        os.lseek(self._descriptor, count_bytes, os.SEEK_SET)
        self.offset = count_bytes

    def hexdigest(self) -> str:
        """Return the sha256 of everything written; nothing can be written after it."""
        return self.hexdigests()[-1]

    def hexdigests(self) -> list[str]:
        """Return the sha256 at all marks, and of everything; nothing can be written after it."""
        self.flush()
        self._digests.cut()
        return self._digests.close()

    def read_back(self, offset: int) -> Iterator[bytes]:
        """Yield what the file holds from `offset` on."""
        self.flush()
        while chunk := os.pread(self._descriptor, 1 << 20, offset):
            offset += len(chunk)
            yield chunk

    def sync(self) -> None:
        """Return when everything written is on the disk; raises OSError."""
        self.flush()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """End the thread of an output that is given up; afterwards it can be closed."""
        self._digests.close()


@contextmanager
def atomic_output(
    destination: Path,
    *,
    durable: bool = True,
    hashed: bool = True,
    begun: Path | None = None,
    retired: Path | None = None,
) -> Iterator[Output]:
    """Yield an Output that becomes `destination` when the block ends without an exception.

    It goes on with the file `begun` where there is one, which `open_part` made. What it replaces
    is kept as `retired` where that is given and possible.

    With `durable` the bytes are on disk (fsync) before the rename and the rename is on disk
    before this returns. Without, that is left to the file system: after a power cut the name can
    lead to less than was written, which is why what is remembered of a build ends with the
    system's uptime (`packager.cli.unchanged`). Raises CannotBuild for what the file system
    refuses; nothing is left behind.
    """
    temporary = begun or part_beside(destination)
    descriptor = -1
    output = None
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        if destination.is_dir():
            raise CannotBuild(f"cannot write `{destination}`: a folder has this name")
        _sweep(str(destination.parent))
        descriptor = open_part(temporary, new=begun is None)
        output = Output(temporary, descriptor, hashed=hashed)
        yield output
        output.sync() if durable else output.flush()
        # Closed whatever close() says: a second one could hit a file of another thread.
        closing, descriptor = descriptor, -1
        os.close(closing)
        _replace(temporary, destination, retired)
        if durable:
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


@cache
def _sweep(folder: str) -> None:
    """Remove from `folder` what killed builds left, once in a process.

    A folder of as many outputs as there are functions is not listed anew for each of them.
    """
    remove_leftovers(folder, prefix=".", suffix=".part")


def part_beside(destination: Path) -> Path:
    """Return a new name for what is to become `destination`; nothing has it yet."""
    return destination.with_name(f".{destination.name}.{temporary_mark()}.part")


def open_part(path: Path, *, new: bool) -> int:
    """Return a descriptor of the unfinished file at `path`, made when it is `new`.

    Readable too, because what was written is read back from the same file. Raises OSError.
    """
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags | os.O_CREAT | os.O_EXCL if new else flags, 0o666)


def _replace(temporary: Path, destination: Path, retired: Path | None) -> None:
    """Rename; the system takes back the old file's space in a thread, beside what comes next.

    Giving back the pages of a large file takes as long as writing them.
    """
    try:
        old = os.open(destination, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | _NONBLOCKING)
    except OSError:
        temporary.replace(destination)
        return
    kept = retired is not None and retire(old, temporary, destination, retired)
    try:
        temporary.replace(destination)
    finally:
        if not kept and os.fstat(old).st_size > LARGE_BYTES:
            threading.Thread(target=_close, args=(old,)).start()
        else:
            _close(old)


def _close(descriptor: int) -> None:
    with suppress(OSError):
        os.close(descriptor)


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
