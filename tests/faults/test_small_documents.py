"""Pages and provenance from an index that misbehaves: the right bytes or one line, in time."""

import re
import time
from collections.abc import Iterator

import pytest
from support.fault_server import BODY, FaultServer, serving

from packager.errors import CannotBuild
from packager.model.requirement import IndexSettings
from packager.model.retry_policy import RetryPolicy
from packager.wheels.small_documents import Document, DocumentReader, each_at_once

POLICY = RetryPolicy(
    attempts=2, first_delay=0.01, connect_timeout=1, read_timeout=0.2, deadline=0.4
)
LOGIN = "builder:s3cr3t-pa%2Fss@"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with serving() as elsewhere, serving(other=elsewhere) as found:
        yield found


def read(server: FaultServer, script: str, *, largest_bytes: int = 1 << 20) -> Document | None:
    reader = DocumentReader(IndexSettings(), policy=POLICY)
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
        ("stall", "connection broke|does not arrive"),
        ("drip", "does not arrive|connection broke"),
        ("no-http", "cannot reach|connection"),
        ("redirect-file", "usable URL"),
        ("redirect-loop", "redirects without end"),
    ],
)
def test_the_wrong_ones_are_told_in_time(server: FaultServer, script: str, reason: str) -> None:
    started = time.monotonic()
    with pytest.raises(CannotBuild, match=reason) as caught:
        read(server, script)
    assert time.monotonic() - started < 3
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
    assert time.monotonic() - started < 3


def test_the_order_is_kept_and_the_first_failure_ends_it() -> None:
    waits = [0.02, 0.0, 0.01, 0.0, 0.0, 0.0, 0.0, 0.0]

    def slowly(number: int) -> int:
        time.sleep(waits[number])
        return number

    numbers = list(range(len(waits)))
    assert each_at_once(slowly, numbers, patience_seconds=5) == numbers
    assert each_at_once(slowly, [], patience_seconds=5) == []
    done = []

    def failing(number: int) -> None:
        if number == 0:
            raise CannotBuild("zero")
        time.sleep(0.01)
        done.append(number)

    with pytest.raises(CannotBuild, match="zero"):
        each_at_once(failing, list(range(100)), patience_seconds=5)
    assert len(done) < 50
