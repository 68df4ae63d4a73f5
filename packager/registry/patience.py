"""Calls that nothing can interrupt, and that nobody waits for longer than is worth it."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

_POLL_SECONDS: Final = 0.1
_Result = TypeVar("_Result")


class Abandoned(Exception):  # noqa: N818 -- a signal between threads, never shown
    """Another part of the work failed, or the user gave up."""


def within(call: Callable[[], _Result], *, seconds: float, abandoned: threading.Event) -> _Result:
    """Call in a thread of its own and return what it returned, or raise what it raised.

    Raises TimeoutError after `seconds`, and Abandoned soon after `abandoned` is set. The thread
    is a daemon: one that hangs, in name resolution or in a head that never ends, is left behind.
    """
    outcome: SimpleQueue[tuple[_Result | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put((call(), None))
        except BaseException as error:  # noqa: BLE001 -- handed to the thread that waits
            outcome.put((None, error))

    threading.Thread(target=run, name="lpack-registry", daemon=True).start()
    left = seconds
    while left > 0:
        try:
            result, error = outcome.get(timeout=min(_POLL_SECONDS, left))
        except Empty:
            left -= _POLL_SECONDS
            if abandoned.is_set():
                raise Abandoned from None
            continue
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # without an error there is one
    raise TimeoutError
