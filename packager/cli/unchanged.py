"""Answer a build of which nothing changed from what the last one said.

The stamp of a command line in a folder holds, for every function, all inputs and outputs with
their identity, and what was printed. While all of them are the same, the answer is the same.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from packager.code_identity import code_identity
from packager.errors import LpackError
from packager.wheels.store import Store

# A file written to this recently may change again without a visible difference.
_RACY_NS = 50_000_000
_VARIABLES = ("LPACK_", "PIP_", "UV_", "SOURCE_DATE_EPOCH")
_LIMIT_PASSED = 1

Identity = list[int] | None


class Looks:
    """Identities of paths, each looked at once: many functions stand on the same files."""

    def __init__(self) -> None:
        """Look at nothing yet."""
        self._found: dict[str, Identity] = {}

    def __call__(self, path: str) -> Identity:
        """Return the identity of `path` as it was when it was first asked for."""
        if path not in self._found:
            self._found[path] = identity_of(path)
        return self._found[path]

    def hold(self, entries: Iterable[Sequence[Any]]) -> bool:
        """Tell whether every path in `entries` (path, identity) is as it was."""
        return all(self(path) == known for path, known, *_ in entries)


def recall(arguments: Sequence[str]) -> dict[str, Any] | None:
    """Return the stamp of this command line in this folder, if there is one."""
    try:
        return Store.default().read_document("stamps", _key(arguments))
    except (LpackError, OSError):
        return None


def replay(stamp: dict[str, Any]) -> int | None:
    """Print the last answer and return its exit code, or return None when work is to be done."""
    looks = Looks()
    answers = stamp["answers"]
    if not stamp["replayable"] or not looks.hold(stamp["paths"]):
        return None
    if not all(looks.hold(answer["paths"]) for answer in answers):
        return None
    try:
        return show(answers, stamp["output_format"])
    except OSError:
        return None


def show(answers: Sequence[dict[str, Any]], output_format: str) -> int:
    """Print `answers` and return the exit code; raises OSError when a manifest cannot be read."""
    if output_format == "text":
        stdout = "\n".join([answer["stdout"] for answer in answers])
    else:
        manifests = []
        for answer in answers:
            with open(answer["manifest"], encoding="utf-8") as file:
                manifests.append(file.read().rstrip())
        stdout = '{"schema_version":1,"manifests":[' + ",".join(manifests) + "]}\n"
    stderr = "".join([answer["stderr"] for answer in answers])
    try:
        sys.stdout.write(stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the result has enough of it; Python must not complain at exit either.
        sys.stdout = None
    sys.stderr.write(stderr)
    sys.stderr.flush()
    return 0 if all(answer["fits"] for answer in answers) else _LIMIT_PASSED


def remember(store: Store, arguments: Sequence[str], stamp: dict[str, Any]) -> None:
    """Keep `stamp` for the next time that this command line is given in this folder."""
    store.write_document("stamps", _key(arguments), stamp)


def is_settled(paths: Iterable[str], started_ns: int) -> bool:
    """Tell whether all input `paths` were last written well before `started_ns`."""
    for path in paths:
        identity = identity_of(path)
        if identity is not None and max(identity[1:3]) > started_ns - _RACY_NS:
            return False
    return True


def identity_of(path: str) -> Identity:
    """Return size, dates in ns, inode, mode and device of `path`, or None when it is not there."""
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
        status.st_dev,
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
    # Which libraries are used, the encoder above all.
    installed = [sys.prefix, os.environ.get("PYTHONPATH")]
    known = [code_identity(), installed, _boot(), os.getcwd(), list(arguments), environment, style]
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
