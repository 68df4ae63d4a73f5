"""Requests that nothing can interrupt, and that nobody waits for longer than is worth it."""

import threading
from collections.abc import Callable
from typing import TypeVar

from packager.daemon_threads import DaemonCalls

_Result = TypeVar("_Result")


class Abandoned(Exception):  # noqa: N818 -- a signal between threads, never shown
    """Another part of the work failed, or the user gave up."""


def within(call: Callable[[], _Result], *, seconds: float, abandoned: threading.Event) -> _Result:
    """Call in a thread of its own and return what it returned, or raise what it raised.

    Raises TimeoutError after `seconds`, and Abandoned soon after `abandoned` is set.
    """

    def look() -> None:
        if abandoned.is_set():
            raise Abandoned

    with DaemonCalls([call], threads=1, name="lpack-registry") as calls:
        _, result = calls.next_ended(seconds, meanwhile=look)
    return result
