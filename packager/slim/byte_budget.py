"""A bound on the bytes that several threads work on at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ByteBudget:
    """Lets threads reserve bytes up to a total; one larger reservation goes through alone."""

    def __init__(self, total_bytes: int) -> None:
        """Start with nothing reserved."""
        self._total = total_bytes
        self._left = total_bytes
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, wanted_bytes: int) -> Iterator[None]:
        """Wait until `wanted_bytes` are free and hold them during the block."""
        held = min(wanted_bytes, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= held)
            self._left -= held
        try:
            yield
        finally:
            with self._changed:
                self._left += held
                self._changed.notify_all()
