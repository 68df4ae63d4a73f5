"""Answer a build of which nothing changed from what the last one said.

The stamp of a command line in a folder lists every input and output with its identity, and what
was printed. While all of them are the same, the answer is the same.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence

from packager.code_identity import code_identity
from packager.errors import LpackError
from packager.wheels.store import Store

# A file written to this recently may change again without a visible difference.
_RACY_NS = 50_000_000
_VARIABLES = ("LPACK_", "PIP_", "UV_", "SOURCE_DATE_EPOCH")


def replay(arguments: Sequence[str]) -> int | None:
    """Print the last answer and return its exit code, or return None when work is to be done."""
    try:
        stamp = Store.default().read_document("stamps", _key(arguments))
    except (LpackError, OSError):
        return None
    if stamp is None or any(identity_of(path) != known for path, known in stamp["paths"]):
        return None
    sys.stderr.write(stamp["stderr"])
    sys.stderr.flush()
    try:
        sys.stdout.write(stamp["stdout"])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the result has enough of it; Python must not complain at exit either.
        sys.stdout = None
    return int(stamp["exit_code"])


def remember(
    store: Store,
    arguments: Sequence[str],
    *,
    paths: Iterable[str],
    answer: tuple[str, str, int],
) -> None:
    """Keep `answer` (stdout, stderr, exit code) while `paths` stay as they are."""
    entries = [[path, identity_of(path)] for path in paths]
    stdout, stderr, exit_code = answer
    store.write_document(
        "stamps",
        _key(arguments),
        {"paths": entries, "stdout": stdout, "stderr": stderr, "exit_code": exit_code},
    )


def is_settled(paths: Iterable[str], started_ns: int) -> bool:
    """Tell whether all input `paths` were last written well before `started_ns`."""
    for path in paths:
        identity = identity_of(path)
        if identity is not None and max(identity[1:3]) > started_ns - _RACY_NS:
            return False
    return True


def identity_of(path: str) -> list[int] | None:
    """Return size, dates in ns, inode and mode of `path`, or None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_mode,
    ]


def now_ns() -> int:
    """Return the clock that file dates are held against, in ns."""
    return time.time_ns()


def _key(arguments: Sequence[str]) -> str:
    environment = sorted(
        (name, value) for name, value in os.environ.items() if name.startswith(_VARIABLES)
    )
    # What was printed may be styled for a terminal (no-color.org), which a pipe must not get.
    style = [os.environ.get("NO_COLOR"), os.environ.get("FORCE_COLOR"), sys.stderr.isatty()]
    known = [code_identity(), _boot(), os.getcwd(), list(arguments), environment, style]
    text = json.dumps(known)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _boot() -> str:
    """Return what changes whenever the machine starts.

    Artifacts are not synced to the disk (`packager.assemble.output`): after a power cut, what
    lies under their names may not be what was written, although size and dates look right.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
