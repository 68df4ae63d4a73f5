"""Calls that nothing can interrupt, in threads that are left behind when they hang.

Name resolution may hang, and so may headers that trickle in. An executor's thread would keep the
process alive until then: these are daemons, which keep neither the caller nor the process.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

_POLL_SECONDS: Final = 0.1
_Result = TypeVar("_Result")


class DaemonCalls(Generic[_Result]):
    """Calls that run at the same time; a context manager that begins no further one at its end."""

    def __init__(self, calls: Iterable[Callable[[], _Result]], *, threads: int, name: str) -> None:
        """Begin at most `threads` of them, and the next whenever one has ended."""
        self._waiting = deque(enumerate(calls))
        self._ended: SimpleQueue[tuple[int, _Result | None, BaseException | None]] = SimpleQueue()
        for number in range(min(threads, len(self._waiting))):
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

    def next_ended(
        self, seconds: float, *, meanwhile: Callable[[], None] | None = None
    ) -> tuple[int, _Result]:
        """Wait for one more call to end; return its number, in the order given, and its result.

        Raises what the call raised, and TimeoutError after `seconds`. The wait is made of small
        steps, so that the user can interrupt it; after each one `meanwhile` is called, and what it
        raises ends the wait as well.
        """
        left = seconds
        while left > 0:
            try:
                number, result, error = self._ended.get(timeout=min(_POLL_SECONDS, left))
            except Empty:
                left -= _POLL_SECONDS
                if meanwhile is not None:
                    meanwhile()
                continue
            if error is not None:
                raise error
            return number, result  # type: ignore[return-value]  # without an error there is one
        raise TimeoutError

    def __enter__(self) -> Self:
        """Wait for nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Begin no further call, and wait for none: nobody needs what they return."""
        self._waiting.clear()

    def _run(self) -> None:
        while True:
            try:
                number, call = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._ended.put((number, call(), None))
            except BaseException as error:  # noqa: BLE001 -- raised where it is waited for
                self._ended.put((number, None, error))
