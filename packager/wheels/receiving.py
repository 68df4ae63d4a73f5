"""Writing the bytes of one wheel into the store while they are held against the lock."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packager.errors import CannotBuild
from packager.model.selection import WheelReference
from packager.wheels.store import Store

_CHUNK_BYTES: Final = 1 << 20
# No wheel that Lambda could take comes near; an endless body ends here.
_LARGEST_WHEEL_BYTES: Final = 4 << 30
_WRONG_BYTES_HINT: Final = "lock again if the file was replaced on purpose; otherwise do not use it"


class WrongBytes(Exception):  # noqa: N818 -- a verdict about a failure, never shown
    """All bytes arrived and they are not the locked ones; `error` is the wording."""

    def __init__(self, error: CannotBuild) -> None:
        """Keep the wording for the case that asking again does not help."""
        super().__init__(error.message)
        self.error = error


def receive(
    wheel: WheelReference,
    chunks: Iterable[bytes],
    *,
    store: Store,
    heard: Callable[[int], None],
) -> None:
    """Write `chunks` into the store; nothing stays unless size and digest are the locked ones.

    `heard` is called with the length of each chunk, may raise to stop, and is called with the
    negative sum when the bytes did not count after all. Raises WrongBytes.
    """
    digest = hashlib.sha256()
    received = 0
    limit = _limit(wheel)
    try:
        with (
            store.writing("wheels", wheel.sha256, ".whl") as temporary,
            temporary.open("wb", buffering=_CHUNK_BYTES) as file,
        ):
            for chunk in chunks:
                received += len(chunk)
                heard(len(chunk))
                digest.update(chunk)
                file.write(chunk)
                if received > limit:
                    break
            _check(wheel, received=received, sha256=digest.hexdigest())
    except BaseException:
        heard(-received)
        raise
    store.note_proven(wheel.sha256)


def local_path(wheel: WheelReference) -> Path | None:
    """Give the wheel's path when it lies on this machine: `path`, or a file: URL (RFC 8089)."""
    if wheel.path is not None:
        return wheel.path
    try:
        parts = urlsplit(wheel.url or "")
    except ValueError:
        # No URL at all: the download will say so.
        return None
    if parts.scheme != "file":
        return None
    if parts.netloc not in {"", "localhost"}:
        raise CannotBuild(
            f"`{wheel.filename}` has a file URL of another machine, `{parts.hostname}`",
            hint="write file:///ABSOLUTE/PATH",
        )
    return Path(unquote(parts.path))


def read_local(wheel: WheelReference, path: Path) -> Iterator[bytes]:
    """Yield the content of a wheel on this machine; raises CannotBuild when there is none."""
    try:
        # Opening a named pipe would wait for ever without O_NONBLOCK.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 -- a descriptor
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CannotBuild(f"`{path}` is not a file", hint=f"put `{wheel.filename}` there")
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise CannotBuild(
            f"`{wheel.filename}` cannot be read from `{path}`: {error.strerror}",
            hint="put the file there, or lock again",
        ) from error


def _limit(wheel: WheelReference) -> int:
    return _LARGEST_WHEEL_BYTES if wheel.size_bytes is None else wheel.size_bytes


def _check(wheel: WheelReference, *, received: int, sha256: str) -> None:
    expected = wheel.size_bytes
    limit = _limit(wheel)
    if received > limit:
        reason = f"it is longer than the expected {limit} bytes"
    elif sha256 != wheel.sha256:
        reason = f"expected sha256 {wheel.sha256}, received {sha256}"
    elif expected not in {None, received}:
        reason = f"expected {expected} bytes, received {received}"
    else:
        return
    raise WrongBytes(
        CannotBuild(
            f"`{wheel.filename}` is not the file that was locked: {reason}", hint=_WRONG_BYTES_HINT
        )
    )
