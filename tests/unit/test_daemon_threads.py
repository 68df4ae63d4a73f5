"""Calls in daemon threads: what they return and raise, and that none of them keeps anybody."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from packager.daemon_threads import DaemonCalls


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What calls wait for in vain until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_results_come_with_the_number_of_their_call() -> None:
    with DaemonCalls([lambda: "a", lambda: "b", lambda: "c"], threads=2, name="t") as calls:
        assert dict(calls.next_ended(60) for _ in range(3)) == {0: "a", 1: "b", 2: "c"}


def test_what_a_call_raises_is_raised_where_it_is_waited_for() -> None:
    def exits() -> None:
        raise SystemExit(3)

    with DaemonCalls([exits], threads=1, name="t") as calls, pytest.raises(SystemExit):
        calls.next_ended(60)


def test_a_call_that_hangs_is_left_behind(never: threading.Event) -> None:
    with DaemonCalls([never.wait], threads=1, name="t") as calls, pytest.raises(TimeoutError):
        calls.next_ended(0.05)
    assert not never.is_set()


def test_who_waits_may_give_up(never: threading.Event) -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    with DaemonCalls([never.wait], threads=1, name="t") as calls, pytest.raises(KeyboardInterrupt):
        calls.next_ended(60, meanwhile=give_up)


def test_after_the_end_nothing_is_begun(never: threading.Event) -> None:
    begun: list[str] = []
    calls: list[Callable[[], object]] = [never.wait, lambda: begun.append("second")]
    with DaemonCalls(calls, threads=1, name="after-the-end"):
        (thread,) = [each for each in threading.enumerate() if each.name == "after-the-end-0"]
    never.set()
    thread.join(60)
    assert not thread.is_alive()
    assert begun == []


def test_a_call_that_hangs_does_not_keep_the_process() -> None:
    code = (
        "import threading\n"
        "from packager.daemon_threads import DaemonCalls\n"
        "with DaemonCalls([threading.Event().wait], threads=1, name='t'): pass\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
