"""Which lpack this is, down to its files.

What is remembered between runs must not outlive the code that found it out, and a checkout
changes without its version changing.
"""

import hashlib
import os
from functools import cache
from pathlib import Path

from packager import __version__


@cache
def code_identity() -> str:
    """Return the version with the newest date (ns) and the number of lpack's own files."""
    newest = count = 0
    waiting = [os.path.dirname(__file__)]  # noqa: PTH120 -- on the way of every start
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        waiting.append(entry.path)
                else:
                    count += 1
                    newest = max(newest, entry.stat().st_mtime_ns)
    return f"{__version__}+{count}.{newest}"


@cache
def code_digest() -> str:
    """Return the digest of lpack's own files, which is the same on every machine."""
    top = Path(__file__).parent
    digest = hashlib.sha256()
    files = {path.relative_to(top).as_posix(): path for path in top.rglob("*") if path.is_file()}
    for name, path in sorted(files.items()):
        if "__pycache__" not in name:
            digest.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()
