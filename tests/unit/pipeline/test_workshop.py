"""Work on wheels begins as they arrive, and is told of in the order of the pins."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, cast

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from packager.model.payload import Payload
from packager.model.progress import NullReporter
from packager.model.selection import Pin, WheelReference
from packager.pipeline.admission import Ready
from packager.pipeline.workshop import Workshop

PATIENCE = 20.0


def pin(name: str, size_bytes: int = 1) -> Pin:
    wheel = WheelReference(filename=f"{name}.whl", sha256=name * 8, size_bytes=size_bytes)
    return Pin(name=canonicalize_name(name), version=Version("1"), wheel=wheel)


A, B, C = pin("a"), pin("b", 5), pin("c", 9)


class Bars(NullReporter):
    """What of each bar is shown: its title, its length, how far it came, and that it is closed."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, int]] = []
        self.done: list[int] = []
        self.moved: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.open = False

    def begin(self, title: str, total_bytes: int) -> None:
        assert not self.open
        self.open = True
        self.shown.append((title, total_bytes))
        self.done.append(0)

    def advance(self, done_bytes: int) -> None:
        assert self.open
        self.done[-1] += done_bytes
        self.moved.put(self.done[-1])

    def end(self) -> None:
        assert self.open
        self.open = False


class Bench:
    """What is done with wheels: their names are the results, and are noted when work begins."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.bars = Bars()
        self.gates: dict[str, threading.Event] = {}
        self.faults: dict[str, Exception] = {}
        self.slimmed: dict[str, threading.Event] = {each: threading.Event() for each in "abc"}

    def admit(self, each: Pin) -> Ready:
        return cast("Ready", self._do(f"admit {each.name}"))

    def slim(self, each: Pin, _: Ready, __: Executor) -> Payload:
        self.slimmed[each.name].set()
        return cast("Payload", self._do(f"slim {each.name}"))

    def _do(self, work: str) -> Any:
        self.began.append(work)
        if work in self.gates:
            assert self.gates[work].wait(PATIENCE)
        if work in self.faults:
            raise self.faults[work]
        return work


@pytest.fixture
def bench() -> Bench:
    return Bench()


def shop_of(bench: Bench, *, shipping: str = "abc") -> Workshop:
    shop = Workshop(bench.admit, bench.slim, reporter=bench.bars)
    shop.expect([A, B, C], shipping=[canonicalize_name(each) for each in shipping])
    return shop


def test_what_certainly_ships_is_made_before_the_others_are_there(bench: Bench) -> None:
    with shop_of(bench, shipping="b") as shop:
        shop.arrived(B.wheel)
        assert bench.slimmed["b"].wait(PATIENCE)
        assert "admit a" not in bench.began
        shop.arrived(A.wheel)
        admitted = [(str(name), str(ready)) for name, ready in shop.admitted([A, B, C]).items()]
        assert admitted == [(each, f"admit {each}") for each in "abc"]
        assert {"slim a", "slim c"}.isdisjoint(bench.began)
        made = [(str(name), str(payload)) for name, payload in shop.payloads([A, C]).items()]
        assert made == [("a", "slim a"), ("c", "slim c")]
    assert sorted(bench.began) == sorted(set(bench.began))


def test_the_largest_is_begun_first(bench: Bench) -> None:
    with shop_of(bench, shipping="") as shop:
        shop.admitted([A, B, C])
        gates = bench.gates
        gates["slim c"] = gates["slim b"] = threading.Event()
        asking = threading.Thread(target=shop.payloads, args=([A, B, C],))
        asking.start()
        assert bench.slimmed["c"].wait(PATIENCE)
        assert bench.slimmed["b"].wait(PATIENCE)
        assert "slim a" not in bench.began
        gates["slim c"].set()
        asking.join()
    assert "slim a" in bench.began


def _ask_admitted(shop: Workshop) -> object:
    return shop.admitted([A, B, C])


def _ask_payloads(shop: Workshop) -> object:
    shop.admitted([A, B, C])
    return shop.payloads([A, B, C])


@pytest.mark.parametrize(
    ("work", "ask"), [("admit", _ask_admitted), ("slim", _ask_payloads)], ids=["admit", "slim"]
)
def test_of_several_failures_the_first_in_order_is_told(
    work: str, ask: Callable[[Workshop], object], bench: Bench
) -> None:
    bench.faults = {f"{work} a": ValueError("a"), f"{work} c": ValueError("c")}
    bench.gates[f"{work} a"] = threading.Event()
    with shop_of(bench) as shop:
        shop.arrived(C.wheel)
        threading.Timer(0.02, bench.gates[f"{work} a"].set).start()
        with pytest.raises(ValueError, match=r"^a$"):
            ask(shop)


def test_after_a_refused_wheel_no_payload_is_begun(bench: Bench) -> None:
    bench.faults = {"admit c": ValueError("c")}
    with shop_of(bench) as shop:
        with pytest.raises(ValueError, match="c"):
            shop.admitted([C])
        shop.admitted([A, B])
    assert {"slim a", "slim b"}.isdisjoint(bench.began)


def open_when_closed(shop: Workshop, gate: threading.Event) -> None:
    while not shop._closed:
        time.sleep(0.001)
    gate.set()


def test_what_is_at_work_is_awaited_and_nothing_more_begins(bench: Bench) -> None:
    bench.gates["admit c"] = bench.gates["admit b"] = threading.Event()
    with shop_of(bench) as shop:
        for each in (C, B, A):
            shop.arrived(each.wheel)
        # What is at work goes on when the shop is closed, and not a moment before.
        threading.Thread(target=open_when_closed, args=(shop, bench.gates["admit c"])).start()
    assert "admit a" not in bench.began
    assert not any(each.startswith("slim") for each in bench.began)
    before = list(bench.began)
    shop.arrived(A.wheel)
    assert bench.began == before


def test_what_is_expected_again_is_admitted_again(bench: Bench) -> None:
    with shop_of(bench, shipping="") as shop:
        shop.admitted([A, B])
        shop.expect([A], shipping=[A.name])
        shop.arrived(A.wheel)
        shop.admitted([A])
        assert bench.slimmed["a"].wait(PATIENCE)
    assert bench.began.count("admit a") == 2
    assert bench.began.count("admit b") == 1


def test_bars_move_when_a_wheel_is_done_and_end_full(bench: Bench) -> None:
    bench.gates = {"admit a": threading.Event(), "slim c": threading.Event()}
    bars, results = bench.bars, list[str]()
    with shop_of(bench, shipping="b") as shop:
        shop.arrived(B.wheel)
        assert bench.slimmed["b"].wait(PATIENCE)

        def ask() -> None:
            shop.admitted([A, B, C])
            results.extend(shop.payloads([B, C]))

        asking = threading.Thread(target=ask)
        asking.start()
        # The first one in order is at work still, and what was done meanwhile shows.
        reached = {bars.moved.get(timeout=PATIENCE) for _ in range(2)}
        assert max(reached) == 14
        bench.gates["admit a"].set()
        assert bars.moved.get(timeout=PATIENCE) == 15
        assert bars.moved.get(timeout=PATIENCE) == 5
        bench.gates["slim c"].set()
        asking.join()
    assert results == ["b", "c"]
    assert bars.shown == [("admitting 3 wheels", 15), ("slimming 2 wheels", 14)]
    assert bars.done == [15, 14]
    assert not bars.open


def test_wheels_of_unknown_size_count_alike(bench: Bench) -> None:
    with shop_of(bench) as shop:
        shop.admitted([pin("a", 0), pin("b", 0)])
        shop.admitted([])
    assert bench.bars.shown == [("admitting 2 wheels", 2)]
    assert bench.bars.done == [2]


def test_a_bar_is_closed_after_a_failure(bench: Bench) -> None:
    bench.faults = {"admit a": ValueError("a")}
    with shop_of(bench) as shop, pytest.raises(ValueError, match="a"):
        shop.admitted([A])
    assert bench.bars.done == [0]
    assert not bench.bars.open
