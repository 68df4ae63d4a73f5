"""Read payloads front to back and hold their digests against what was admitted."""

import os
from collections.abc import Iterator
from typing import Self

from packager.assemble.digests import BackgroundDigests

_CHUNK = 1024 * 1024


class PayloadDamagedError(Exception):
    """A payload in the store is not what was written there; `key` tells which."""

    def __init__(self, key: str) -> None:
        """Name the payload by its key."""
        super().__init__(key)
        self.key = key


class PayloadCheck:
    """Proves that the bytes spliced are the bytes that were verified at admission.

    As a context manager it raises PayloadDamagedError at the end when a digest differs.
    """

    def __init__(self) -> None:
        """Expect nothing yet."""
        self._digests = BackgroundDigests()
        self._expected: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Wait for the digests, and raise when one is not what was expected."""
        found = self._digests.close()
        if kind is not None:
            return
        for (key, expected), digest in zip(self._expected, found, strict=True):
            if digest != expected:
                raise PayloadDamagedError(key)

    def read(self, key: str, descriptor: int, amount: int, *, offset: int) -> Iterator[bytes]:
        """Yield `amount` bytes of the payload `key` in chunks; raises when it is cut."""
        while amount:
            chunk = os.pread(descriptor, min(amount, _CHUNK), offset)
            if not chunk:
                raise PayloadDamagedError(key)
            offset += len(chunk)
            amount -= len(chunk)
            self._digests.feed(chunk)
            yield chunk

    def end(self, key: str, sha256: str, *, tail: bytes) -> None:
        """End the payload `key` with its `tail`; the digest must be `sha256`."""
        self._digests.feed(tail)
        self._digests.cut()
        self._expected.append((key, sha256))
