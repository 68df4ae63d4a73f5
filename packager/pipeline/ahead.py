"""Begin to copy what a zip begins with, while the rest of lpack is still being loaded.

After a change of the user's code nearly all of the zip is bytes that the last build verified.
Copying and hashing them needs none of the settings and hardly the interpreter, so that it goes on
beside everything else. Nothing depends on it: when the build turns out to need other payloads, or
fails, the unfinished file goes away.
"""

# On the way of every rebuild, before anything else: imports are kept few.

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from packager.assemble.output import open_part, part_beside
from packager.assemble.prefix_copy import PrefixCopy
from packager.assemble.retired import take_back
from packager.errors import LpackError
from packager.model.prefix import Prefix
from packager.wheels.store import Store

KIND = "prefixes"
"""The kind of the store's documents that tell what is copied."""

# Seconds after which a thread that holds the interpreter lets another one go on. Copying and
# hashing need it for a moment between two pieces; by default they would wait 5 ms each time.
_SWITCH_SECONDS = 0.0005


class HeadStart:
    """The copying of one prefix of the store; a context manager that ends it, used or not."""

    def __init__(
        self, key: str, copying: PrefixCopy, *, destination: Path, retired: Path | None
    ) -> None:
        """Begin: `key` is that of the prefix in the store; `retired` is as in `take`."""
        self._wanted = key, destination
        self._retired = retired
        self._lock = threading.Lock()
        self._copying: PrefixCopy | None = copying
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        copying.begin()

    def take(
        self, key: str, prefix: Prefix, destination: Path
    ) -> tuple[PrefixCopy | None, Path | None]:
        """Hand over the copying to whom it is for; it is given once, and to nobody else.

        With it comes the place for the file that is replaced: in it, the next build finds the
        prefix already.
        """
        with self._lock:
            copying = self._copying
            fits = (key, destination) == self._wanted
            if copying is None or not fits or not copying.is_of(prefix):
                return None, None
            self._copying = None
            return copying, self._retired

    def __enter__(self) -> Self:
        """Go on."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop what nobody took, and remove its file."""
        sys.setswitchinterval(self._interval)
        if self._copying is not None:
            self._copying.__exit__(kind, error, traceback)
            with suppress(OSError):
                self._copying.target.unlink()


def head_start(store: Store, key: str, destination: Path, *, intact: bool) -> HeadStart | None:
    """Begin to copy the prefix `key` beside `destination`; None when that cannot be done.

    `intact` tells that what is there now is what lpack wrote. Whatever is wrong shows again, and
    is told, when the build itself comes to it.
    """
    try:
        document = store.read_document(KIND, key)
        if document is None:
            return None
        prefix = Prefix.from_document(document["prefix"], directory=b"", names=b"")
        payloads = [(each, store.file("payloads", each, ".zip")) for each in document["payloads"]]
        path, retired = part_beside(destination), store.file("retired", key, ".zip")
        there = take_back(retired, path, prefix.body_bytes)
        if not there:
            os.close(open_part(path, new=True))
    except (LpackError, OSError, KeyError, TypeError, ValueError):
        return None
    copying = PrefixCopy(prefix, payloads, path, there=there)
    kept = retired if intact else None
    return HeadStart(key, copying, destination=destination, retired=kept)
