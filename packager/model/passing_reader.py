"""A reader that takes the digest and the length of what passes through it. Pure."""

import hashlib
import io
from typing import Any, Protocol


class Readable(Protocol):
    """What can be read from."""

    def read(self, amount: int, /) -> bytes:
        """Return at most `amount` bytes, none at the end."""


class PassingReader(io.RawIOBase):
    """Reads `source`; raises ValueError when more than `limit_bytes` come."""

    def __init__(self, source: Readable, *, limit_bytes: int) -> None:
        """Begin where `source` stands."""
        self._source = source
        self._limit_bytes = limit_bytes
        self.digest = hashlib.sha256()
        self.passed_bytes = 0

    def readable(self) -> bool:
        """Tell that it can be read from."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 -- any writable buffer
        """Fill `buffer`, as io wants it."""
        data = self._source.read(len(buffer))
        self.digest.update(data)
        self.passed_bytes += len(data)
        if self.passed_bytes > self._limit_bytes:
            raise ValueError(f"it inflates to more than {self._limit_bytes:,} bytes")
        buffer[: len(data)] = data
        return len(data)
