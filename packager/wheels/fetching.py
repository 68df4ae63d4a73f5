"""The threads that fetch wheels: retries, deadlines, and stopping at once when one fails."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from packager.errors import CannotBuild
from packager.model.progress import Reporter
from packager.model.retry_policy import RetryPolicy
from packager.model.selection import WheelReference
from packager.wheels.http_client import HttpClient, Transient, abort, body_of
from packager.wheels.receiving import WrongBytes, local_path, read_local, receive
from packager.wheels.store import Store

if TYPE_CHECKING:
    from requests import Response

_THREADS: Final = 6
# Large wheels come one after the other, so that the largest, which takes longest to slim, arrives
# while others are on their way. Where one connection does not fill the link, a further one helps:
# another is begun after so many seconds.
_LARGE_BYTES: Final = 4 << 20
_STEP_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.1
# How long the tidying up of a stopped download may take: one unlink, behind one fsync at worst.
_GRACE_SECONDS: Final = 10.0
# Headers that tell why the bytes are wrong: a login page, or a body compressed on the way.
_TELLING_HEADERS: Final = ("Content-Type", "Content-Encoding")


class _Stopped(Exception):  # noqa: N818 -- a signal between threads, never shown
    """Another file failed, or the user gave up."""


class Fetching:
    """The threads of one `fetch` and what they share.

    The threads are daemons and not an executor's: one that hangs in name resolution, which
    nothing can interrupt, must not keep the process alive.
    """

    def __init__(
        self,
        store: Store,
        *,
        client: HttpClient | None,
        reporter: Reporter,
        policy: RetryPolicy,
        arrived: Callable[[WheelReference], None],
    ) -> None:
        """Take what the threads share; `client` is needed when a wheel has a URL."""
        self._store = store
        self._client = client
        self._reporter = reporter
        self._policy = policy
        self._arrived = arrived
        self._stop = threading.Event()
        self._large: deque[WheelReference] = deque()
        self._small: deque[WheelReference] = deque()
        self._turns = threading.Condition()
        self._large_on_way = 0
        self._next_large = 0.0
        self._deadlines: dict[str, tuple[WheelReference, float]] = {}
        self._receiving: dict[str, Response | None] = {}
        self._outcomes: SimpleQueue[BaseException | None] = SimpleQueue()

    def run(self, wheels: list[WheelReference]) -> None:
        """Fetch all, in this order where they are large; raises what a thread raised first."""
        for wheel in wheels:
            (self._large if _is_large(wheel) else self._small).append(wheel)
        threads = [
            threading.Thread(target=self._work, name=f"lpack-fetch-{number}", daemon=True)
            for number in range(min(_THREADS, len(wheels)))
        ]
        try:
            for thread in threads:
                thread.start()
            for _ in wheels:
                self._await_one()
        finally:
            self._halt()

    def _halt(self) -> None:
        """Stop all threads and wait for those that have a temporary file to remove.

        The others hold nothing and may be stuck where nothing can wake them up: they are left
        behind. After a success there is nothing to do.
        """
        self._stop.set()
        for response in tuple(self._receiving.values()):
            if response is not None:
                abort(response)
        patience = time.monotonic() + _GRACE_SECONDS
        while self._receiving and time.monotonic() < patience:
            time.sleep(0.005)

    def _await_one(self) -> None:
        while True:
            try:
                outcome = self._outcomes.get(timeout=_POLL_SECONDS)
            except Empty:
                # A thread looks at its deadline whenever something arrives. This is for one that
                # got stuck before: in name resolution, or in headers that trickle in.
                for wheel, deadline in tuple(self._deadlines.values()):
                    if time.monotonic() > deadline:
                        raise self._too_slow(wheel) from None
                continue
            if outcome is not None:
                raise outcome
            return

    def _work(self) -> None:
        while (wheel := self._next()) is not None:
            outcome: BaseException | None = None
            deadline = time.monotonic() + self._policy.deadline
            self._deadlines[wheel.sha256] = (wheel, deadline)
            try:
                self._fetch_one(wheel, deadline)
                self._arrived(wheel)
            except _Stopped:
                return
            except BaseException as error:  # noqa: BLE001 -- handed to the main thread, which raises it
                outcome = error
            finally:
                del self._deadlines[wheel.sha256]
                self._note_end(wheel)
            self._outcomes.put(outcome)

    def _next(self) -> WheelReference | None:
        """Wait for the next wheel whose turn it is; None when there is none, or all is stopped."""
        with self._turns:
            while not self._stop.is_set():
                wait = self._next_large - time.monotonic() if self._large_on_way else 0.0
                if self._large and wait <= 0:
                    self._large_on_way += 1
                    self._next_large = time.monotonic() + _STEP_SECONDS
                    return self._large.popleft()
                if self._small:
                    return self._small.popleft()
                if not self._large:
                    return None
                self._turns.wait(wait)
        return None

    def _note_end(self, wheel: WheelReference) -> None:
        if _is_large(wheel):
            with self._turns:
                self._large_on_way -= 1
                self._turns.notify_all()

    def _fetch_one(self, wheel: WheelReference, deadline: float) -> None:
        path = local_path(wheel)
        wrong = failed = 0
        while True:
            self._raise_if_stopped()
            try:
                if path is None:
                    self._download(wheel, deadline)
                else:
                    with self._marked(wheel, None):
                        self._receive(wheel, read_local(wheel, path), deadline)
            except WrongBytes as verdict:
                # A proxy's damaged copy heals by asking again; a file on disk does not.
                wrong += 1
                if wrong == 2 or path is not None:
                    raise verdict.error from None
            except Transient as failure:
                failed += 1
                self._pause(failure, failed=failed, deadline=deadline)
            else:
                return

    def _pause(self, failure: Transient, *, failed: int, deadline: float) -> None:
        delay = failure.after_seconds
        if delay is None:
            jitter = random.uniform(0.5, 1.5)  # noqa: S311 -- spreads load, guards nothing
            delay = self._policy.first_delay * 2 ** (failed - 1) * jitter
        self._raise_if_stopped()
        if failed >= self._policy.attempts or time.monotonic() + delay > deadline:
            raise failure.error from None
        if self._stop.wait(delay):
            raise _Stopped

    def _download(self, wheel: WheelReference, deadline: float) -> None:
        assert self._client is not None  # noqa: S101 -- fetch() makes one for remote wheels
        remaining = max(deadline - time.monotonic(), 0.01)
        response = self._client.get(
            wheel.url or "",
            wheel=wheel.filename,
            read_seconds=min(self._policy.read_timeout, remaining),
        )
        with closing(response), self._marked(wheel, response):
            try:
                self._receive(wheel, body_of(response, wheel=wheel.filename), deadline)
            except WrongBytes as verdict:
                told = response.headers
                lines = [f"{name}: {told[name]}" for name in _TELLING_HEADERS if name in told]
                verdict.error.details = (*verdict.error.details, *lines)
                raise

    @contextmanager
    def _marked(self, wheel: WheelReference, response: "Response | None") -> Iterator[None]:
        """Be in `_receiving` while a temporary file may exist.

        First the mark, then the look at `_stop`: whoever stops does it in the other order, so
        that no thread gets past both.
        """
        self._receiving[wheel.sha256] = response
        try:
            self._raise_if_stopped()
            yield
        finally:
            del self._receiving[wheel.sha256]

    def _receive(self, wheel: WheelReference, chunks: Iterator[bytes], deadline: float) -> None:
        def heard(count: int) -> None:
            self._reporter.advance(count)
            if count > 0:
                self._raise_if_stopped()
                if time.monotonic() > deadline:
                    raise self._too_slow(wheel)

        receive(wheel, chunks, store=self._store, heard=heard)

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _too_slow(self, wheel: WheelReference) -> CannotBuild:
        return CannotBuild(
            f"`{wheel.filename}` did not arrive within {self._policy.deadline:g} seconds",
            hint="try again: what arrived completely is kept in the store",
        )


def _is_large(wheel: WheelReference) -> bool:
    return (wheel.size_bytes or 0) >= _LARGE_BYTES
