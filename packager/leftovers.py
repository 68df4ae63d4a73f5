"""Temporary files of processes that were killed: how they are named, found and removed.

A name tells which process writes it, and on which boot of which system: a process number means
nothing on a disk shared by machines or containers. What a dead process of this system left goes
at once; what others left goes after a day without a write. What this process writes never goes,
however far apart its clock and that of the disk are.
"""

# On the way of every build, where Path objects cost more than the calls they make.
# ruff: noqa: PTH108, PTH115, PTH123

import hashlib
import os
import re
import time
from contextlib import suppress
from functools import cache

_ABANDONED_SECONDS = 86_400
_MARK = re.compile(r"([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]{16}(?:\.|$)")
_UNKNOWN = "00000000"


def temporary_mark() -> str:
    """Return a new name for a temporary file of this process."""
    return f"{_system()}-{os.getpid()}-{os.urandom(8).hex()}"


def is_temporary(name: str) -> bool:
    """Tell whether `name` is that of a temporary file, of which no two are the same."""
    return _MARK.search(name) is not None


def remove_leftovers(folder: str, *, prefix: str = "", suffix: str = "") -> None:
    """Remove from `folder` what nobody writes any more; trouble here stops nobody.

    Only what is named `PREFIX…MARK…SUFFIX` with a mark of `temporary_mark` is looked at: files, and
    folders with all that is in them.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(suffix):
                mark = _MARK.search(entry.name)
                if mark is not None and _is_left_over(entry, *mark.groups()):
                    with suppress(OSError):
                        _remove(entry)


def _remove(entry: "os.DirEntry[str]") -> None:
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.path)
        return
    # Loaded here because it takes a while to load, and hardly any leftover is a folder.
    import shutil  # noqa: PLC0415

    shutil.rmtree(entry.path)


def _is_left_over(entry: "os.DirEntry[str]", system: str, process: str) -> bool:
    if system == _system():
        if int(process) == os.getpid():
            return False
        if system != _UNKNOWN and not _is_alive(int(process)):
            return True
    try:
        age = time.time() - entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return False
    return age >= _ABANDONED_SECONDS


@cache
def _system() -> str:
    """Name this boot and its numbering of processes, as Linux tells them."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            boot = file.read()
        numbering = os.fsencode(os.readlink("/proc/self/ns/pid"))
    except OSError:
        return _UNKNOWN
    return hashlib.sha256(boot + numbering).hexdigest()[:8]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
