"""Doing many requests at once, and stopping when what arrives is not worth the wait."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final

from packager.model.shared_store import Patience

_THREADS: Final = 8
_POLL_SECONDS: Final = 0.05


class TooSlow(Exception):  # noqa: N818 -- a verdict, never shown
    """Less arrived in a window of time than is worth waiting for."""


class Pace:
    """Counts what arrives; may be told by several threads."""

    def __init__(self, patience: Patience) -> None:
        """Start the first window."""
        self._patience = patience
        self._lock = threading.Lock()
        self._bytes = 0
        self._began = time.monotonic()
        self.stopped = False

    def heard(self, count: int) -> None:
        """Count bytes; raises TooSlow in a thread that nobody waits for any more."""
        if self.stopped:
            raise TooSlow
        with self._lock:
            self._bytes += count

    def renew(self) -> None:
        """Begin the window anew."""
        with self._lock:
            self._bytes, self._began = 0, time.monotonic()

    def check(self) -> None:
        """Raise TooSlow at the end of a window in which too little arrived."""
        now = time.monotonic()
        if now - self._began < self._patience.window:
            return
        with self._lock:
            enough = self._bytes >= self._patience.window_bytes
            self._bytes, self._began = 0, now
        if not enough:
            raise TooSlow


def at_once(
    works: Sequence[Callable[[], None]], pace: Pace, *, deadline_seconds: float | None = None
) -> bool:
    """Do all `works`, some at a time, and tell whether all of them ended.

    They must not raise anything but TooSlow. The threads are daemons: one that hangs, in name
    resolution for instance, is left behind. False after too slow a window or the deadline.
    """
    waiting = deque(works)
    ended: SimpleQueue[None] = SimpleQueue()

    def run() -> None:
        while not pace.stopped:
            try:
                work = waiting.popleft()
            except IndexError:
                return
            try:
                work()
            except TooSlow:
                return
            finally:
                ended.put(None)

    for number in range(min(_THREADS, len(works))):
        threading.Thread(target=run, name=f"lpack-shared-{number}", daemon=True).start()
    last = None if deadline_seconds is None else time.monotonic() + deadline_seconds
    try:
        for _ in works:
            _await_one(ended, pace, last)
    except TooSlow:
        return False
    finally:
        # Whoever is still at work when the wait is over finds out at its next byte.
        pace.stopped = True
    return True


def _await_one(ended: "SimpleQueue[None]", pace: Pace, last: float | None) -> None:
    while True:
        if last is not None and time.monotonic() > last:
            raise TooSlow
        try:
            ended.get(timeout=_POLL_SECONDS)
        except Empty:
            pace.check()
        else:
            # One complete value is as good as a window full of bytes.
            pace.renew()
            return
