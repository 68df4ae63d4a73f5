"""What lpack itself wrote into the user's folders, which is never the user's code.

On the way of every rebuild, hence strings and few imports.
"""

import os
import stat
from collections.abc import Collection

_MANIFEST = ".lpack.json"
_SUFFIXES = (".zip", ".image.tar", ".oci", ".cdx.json", ".intoto.jsonl")


def is_artifact(name: str, beside: Collection[str]) -> bool:
    """Tell whether `name` is a manifest, or has its manifest among `beside`."""
    if name.endswith(_MANIFEST):
        return True
    return name.endswith(_SUFFIXES) and any(
        name.endswith(suffix) and name.removesuffix(suffix) + _MANIFEST in beside
        for suffix in _SUFFIXES
    )


def redirected_files() -> frozenset[tuple[int, int]]:
    """Give device and inode of the files that stdout and stderr go to (`> build.log`)."""
    found = set()
    for descriptor in (1, 2):
        try:
            status = os.fstat(descriptor)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            found.add((status.st_dev, status.st_ino))
    return frozenset(found)
