"""Pages and provenance from an index that misbehaves: the right bytes or one line, in time."""

import re
import threading
import time

import pytest
from support.fault_server import BODY, FaultServer

from packager.errors import CannotBuild
from packager.model.requirement import IndexSettings
from packager.model.retry_policy import RetryPolicy
from packager.wheels.small_documents import Document, DocumentReader, each_at_once

# A slow machine is waited for; whoever hangs on purpose, for 30 seconds and more, is not.
POLICY = RetryPolicy(attempts=2, first_delay=0.01)
IMPATIENT = RetryPolicy(
    attempts=2, first_delay=0.01, connect_timeout=2, read_timeout=0.2, deadline=0.4
)
HANGING = frozenset({"stall", "drip", "drip-headers"})
SOON_SECONDS = 15.0
LOGIN = "builder:s3cr3t-pa%2Fss@"


def read(server: FaultServer, script: str, *, largest_bytes: int = 1 << 20) -> Document | None:
    policy = IMPATIENT if script in HANGING else POLICY
    reader = DocumentReader(IndexSettings(), policy=policy)
    url = server.url(script, user=LOGIN) + "?signature=s3cr3t"
    try:
        return reader.read(url, title="the page", accept="*/*", largest_bytes=largest_bytes)
    finally:
        reader.close()


@pytest.mark.parametrize(
    "script", ["ok", "chunked", "truncated-once", "reset-at-once", "redirect", "basic"]
)
def test_the_right_bytes_arrive(server: FaultServer, script: str) -> None:
    found = read(server, script)
    assert found is not None
    assert found.body == BODY
    assert "s3cr3t-pa" not in found.url


@pytest.mark.parametrize("script", ["not-found", "gone"])
def test_what_is_not_there_is_no_error(server: FaultServer, script: str) -> None:
    assert read(server, script) is None


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("truncated", "bytes arrived|connection broke"),
        ("chunked-cut", "connection broke"),
        ("failing", "answers 500"),
        ("forbidden", "answers 403"),
        ("endless", "longer than"),
        ("stall", "connection broke|does not arrive|does not answer"),
        ("drip", "does not arrive|connection broke|does not answer"),
        ("no-http", "cannot reach|connection"),
        ("redirect-file", "usable URL"),
        ("redirect-loop", "redirects without end"),
    ],
)
def test_the_wrong_ones_are_told_in_time(server: FaultServer, script: str, reason: str) -> None:
    started = time.monotonic()
    with pytest.raises(CannotBuild, match=reason) as caught:
        read(server, script)
    assert time.monotonic() - started < SOON_SECONDS
    told = caught.value.message + (caught.value.hint or "")
    assert not re.search("s3cr3t|signature|\n", told)


def test_nothing_is_larger_than_it_may_be(server: FaultServer) -> None:
    with pytest.raises(CannotBuild, match="longer than 1000 bytes"):
        read(server, "ok", largest_bytes=1000)


def test_headers_that_trickle_in_keep_nobody(server: FaultServer) -> None:
    started = time.monotonic()
    with pytest.raises(CannotBuild, match="does not answer within"):
        each_at_once(
            lambda script: read(server, script), ["ok", "drip-headers"], patience_seconds=0.3
        )
    assert time.monotonic() - started < SOON_SECONDS


def test_the_order_is_kept_and_the_first_failure_ends_it() -> None:
    waits = [0.02, 0.0, 0.01, 0.0, 0.0, 0.0, 0.0, 0.0]

    def slowly(number: int) -> int:
        time.sleep(waits[number])
        return number

    numbers = list(range(len(waits)))
    assert each_at_once(slowly, numbers, patience_seconds=60) == numbers
    assert each_at_once(slowly, [], patience_seconds=60) == []
    begun: set[threading.Thread] = set()
    numbers_begun, told = [], threading.Event()

    def failing(number: int) -> None:
        begun.add(threading.current_thread())
        numbers_begun.append(number)
        if number == 0:
            raise CannotBuild("zero")
        told.wait(60)

    with pytest.raises(CannotBuild, match="zero"):
        each_at_once(failing, list(range(100)), patience_seconds=60)
    told.set()
    for thread in tuple(begun):
        thread.join()
    # One for each thread, and one more in the place of the first.
    assert len(numbers_begun) <= 7
