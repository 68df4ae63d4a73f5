"""Wheels are admitted and become payloads as they arrive, while others are still on their way.

What is asked for is told in the order of the pins, and so is the first thing that went wrong:
neither results nor errors tell in which order the work was done.
"""

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from types import TracebackType
from typing import Self, TypeVar

from packaging.utils import NormalizedName

from packager.model.payload import Payload
from packager.model.progress import Reporter
from packager.model.selection import Pin, WheelReference
from packager.pipeline.admission import Ready
from packager.slim.mapped import return_large_buffers

_Result = TypeVar("_Result")


class Workshop:
    """The work on the wheels of one build; a context manager that ends it, done or not.

    `admit` and `slim` do the work on one wheel, `slim` with threads for its files. Each wheel is
    admitted once, and the payload of each is made once, as soon as it is admitted where that is
    known to ship.
    """

    def __init__(
        self,
        admit: Callable[[Pin], Ready],
        slim: Callable[[Pin, Ready, Executor], Payload],
        *,
        reporter: Reporter,
    ) -> None:
        """Begin with nothing; threads are started when there is work."""
        return_large_buffers()
        self._admit = admit
        self._slim = slim
        self._reporter = reporter
        cores = os.cpu_count() or 2
        self._files = ThreadPoolExecutor(cores)
        # More than two wheels at a time would only need more memory: what takes long releases the
        # interpreter's lock, and the files of one wheel keep all cores busy.
        self._slimmers = ThreadPoolExecutor(2)
        self._admitters = ThreadPoolExecutor(2)
        self._lock = threading.RLock()
        self._pins: dict[str, list[Pin]] = {}
        self._shipping: frozenset[NormalizedName] = frozenset()
        self._admitted: dict[NormalizedName, Future[Ready]] = {}
        self._slimmed: dict[NormalizedName, Future[Payload]] = {}
        self._failed = self._closed = False

    def expect(self, pins: Iterable[Pin], *, shipping: Collection[NormalizedName]) -> None:
        """Tell whose wheels will arrive, and whose payloads are certainly needed.

        What was found out about them before no longer holds.
        """
        with self._lock:
            self._pins = {}
            for pin in pins:
                self._pins.setdefault(pin.wheel.sha256, []).append(pin)
                self._admitted.pop(pin.name, None)
            self._shipping = frozenset(shipping)

    def arrived(self, wheel: WheelReference) -> None:
        """Begin the work on a wheel that is in the store now; any thread may call this."""
        with self._lock:
            for pin in () if self._closed else self._pins.get(wheel.sha256, ()):
                self._begin_admission(pin)

    def admitted(self, pins: Sequence[Pin]) -> dict[NormalizedName, Ready]:
        """Return what is known of all wheels; raises what the first of them, in order, raised."""
        begun = {pin.name: self._begin_admission(pin) for pin in pins}
        return self._awaited("admitting", pins, begun)

    def payloads(self, pins: Sequence[Pin]) -> dict[NormalizedName, Payload]:
        """Return the payloads of admitted wheels; raises what the first of them raised."""
        largest_first = sorted(pins, key=lambda pin: -(pin.wheel.size_bytes or 0))
        begun = {
            pin.name: self._begin_slimming(pin, self._admitted[pin.name].result())
            for pin in largest_first
        }
        return self._awaited("slimming", pins, begun)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Begin nothing more, and wait for what is at work: it removes its temporary files."""
        with self._lock:
            self._closed = True
        pools = (self._files, self._admitters, self._slimmers)
        for threads in pools:
            threads.shutdown(wait=False, cancel_futures=True)
        for threads in pools:
            threads.shutdown()

    def _awaited(
        self,
        doing: str,
        pins: Sequence[Pin],
        begun: "Mapping[NormalizedName, Future[_Result]]",
    ) -> dict[NormalizedName, _Result]:
        """Wait for all, and show how much of it is done; what was done before counts at once."""
        if pins:
            # A lock may tell no sizes: its wheels count alike.
            shares = {begun[pin.name]: pin.wheel.size_bytes or 1 for pin in pins}
            noun = "wheel" if len(pins) == 1 else "wheels"
            self._reporter.begin(f"{doing} {len(pins)} {noun}", sum(shares.values()))
            try:
                for future in as_completed(shares):
                    if future.exception() is not None:
                        break
                    self._reporter.advance(shares[future])
            finally:
                self._reporter.end()
        return {pin.name: begun[pin.name].result() for pin in pins}

    def _begin_admission(self, pin: Pin) -> "Future[Ready]":
        with self._lock:
            if pin.name not in self._admitted and not self._closed:
                ships = pin.name in self._shipping
                future = self._admitters.submit(self._admit_and_go_on, pin, ships=ships)
                self._admitted[pin.name] = future
            return self._admitted[pin.name]

    def _admit_and_go_on(self, pin: Pin, *, ships: bool) -> Ready:
        try:
            ready = self._admit(pin)
        except BaseException:
            # There will be no build: what is not begun yet would be for nothing.
            self._failed = True
            raise
        if ships and not self._failed:
            self._begin_slimming(pin, ready)
        return ready

    def _begin_slimming(self, pin: Pin, ready: Ready) -> "Future[Payload]":
        with self._lock:
            if pin.name not in self._slimmed:
                future = self._slimmers.submit(self._slim, pin, ready, self._files)
                self._slimmed[pin.name] = future
            return self._slimmed[pin.name]
