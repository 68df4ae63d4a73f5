"""The file of the last artifact, kept to be written over: most of the next one is in it already.

Only the user's code and the directory behind it change, so that a file which nobody looks at any
more needs no copying, no new blocks and no freeing of the old ones. What it holds is proved by its
digest like everything that is copied. A file is only written over when nobody else can see it: it
has no other name, and no process has it open (a lease of fcntl(2), which only Linux has).
"""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

LARGE_BYTES = 4 * 1024 * 1024
"""What is smaller is copied as fast as it is looked after."""

# A signal that nobody notices, for the case that somebody opens the file while it is looked at.
# The number is that of every Linux that Python is built for, but for MIPS and SPARC.
_SIGURG = 23


def retire(old: int, new: Path, destination: Path, place: Path) -> bool:
    """Give the file at `destination`, open as `old`, the further name `place`; tell whether.

    To be called right before `new` takes the name `destination`. Both must look alike, because
    the old file will once be the new artifact.
    """
    try:
        before, after = os.fstat(old), os.lstat(new)
        alike = (before.st_mode, before.st_uid, before.st_gid) == (
            after.st_mode,
            after.st_uid,
            after.st_gid,
        )
        if not alike or before.st_size < LARGE_BYTES or not _is_alone(old, before):
            return False
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.link(destination, place, follow_symlinks=False)
    except OSError:
        # Another disk, or one without such names: the file goes away as any other.
        return False
    return True


def take_back(place: Path, part: Path, body_bytes: int) -> bool:
    """Give the retired file at `place` the name `part`, cut to `body_bytes`; tell whether.

    Two that want it cannot both get it. A file that somebody else can see is left to them.
    """
    descriptor = -1
    try:
        place.rename(part)
        descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        found = os.fstat(descriptor)
        if found.st_size >= body_bytes and _is_alone(descriptor, found):
            os.ftruncate(descriptor, body_bytes)
            return True
    except OSError:
        pass
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    with suppress(OSError):
        part.unlink()
    return False


def _is_alone(descriptor: int, found: os.stat_result) -> bool:
    """Tell whether a regular file has one name only and is open nowhere else."""
    if sys.platform != "linux" or not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        return False
    import fcntl  # noqa: PLC0415 -- there is none elsewhere

    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, _SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return True
