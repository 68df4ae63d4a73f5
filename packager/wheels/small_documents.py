"""Reading small documents of an index: pages of projects, provenance of files.

Nothing of them is trusted because of where it came from, and nothing is kept here.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final, NamedTuple, TypeVar

from packager.daemon_threads import DaemonCalls
from packager.errors import CannotBuild
from packager.model.redaction import redact_url
from packager.model.requirement import IndexSettings
from packager.model.retry_policy import DEFAULT_POLICY, RetryPolicy
from packager.wheels.http_client import HttpClient, NotThere, Transient, body_of

Item = TypeVar("Item")
Result = TypeVar("Result")

_LONGEST_SECONDS: Final = 120.0
_THREADS: Final = 6


class Document(NamedTuple):
    """What a server answered; `url` is where redirects have led to."""

    body: bytes
    content_type: str
    url: str


class DocumentReader:
    """A session with the indexes for documents; may be used by several threads."""

    def __init__(self, settings: IndexSettings, *, policy: RetryPolicy = DEFAULT_POLICY) -> None:
        """Open nothing yet; raises UsageError when the configured certificate does not exist."""
        self._policy = policy
        self._client = HttpClient(settings, connect_seconds=policy.connect_timeout)

    def close(self) -> None:
        """Close all connections that nobody uses."""
        self._client.close()

    @property
    def patience_seconds(self) -> float:
        """The longest time for one document with all tries."""
        return min(self._policy.deadline, _LONGEST_SECONDS)

    def read(self, url: str, *, title: str, accept: str, largest_bytes: int) -> Document | None:
        """Return what is at `url`, None when the server does not have it.

        `title` is what it is, for the errors. Raises CannotBuild when it cannot be had within
        the patience of the policy (two minutes at most), or is larger.
        """
        deadline = time.monotonic() + self.patience_seconds
        failed = 0
        while True:
            try:
                return self._once(url, title, accept, largest_bytes, deadline)
            except NotThere:
                return None
            except Transient as failure:
                failed += 1
                self._pause(failure, failed=failed, deadline=deadline)

    def _once(
        self, url: str, title: str, accept: str, largest_bytes: int, deadline: float
    ) -> Document:
        seconds = max(0.01, min(self._policy.read_timeout, deadline - time.monotonic()))
        response = self._client.get(url, wheel=title, read_seconds=seconds, accept=accept)
        body = bytearray()
        with closing(response):
            for chunk in body_of(response, wheel=title):
                body += chunk
                if len(body) > largest_bytes:
                    raise _refused(title, url, f"it is longer than {largest_bytes} bytes")
                if time.monotonic() > deadline:
                    raise _refused(title, url, "it does not arrive")
            self._check_length(response.headers.get("Content-Length"), body, title, url)
            kind = response.headers.get("Content-Type", "")
            return Document(bytes(body), kind, response.url)

    def _check_length(self, told: str | None, body: bytearray, title: str, url: str) -> None:
        """Notice a body that was cut: reading it piece by piece does not."""
        if told is not None and told.isdecimal() and int(told) != len(body):
            raise Transient(_refused(title, url, f"{len(body)} of {told} bytes arrived"))

    def _pause(self, failure: Transient, *, failed: int, deadline: float) -> None:
        delay = failure.after_seconds
        if delay is None:
            jitter = random.uniform(0.5, 1.5)  # noqa: S311 -- spreads load, guards nothing
            delay = self._policy.first_delay * 2 ** (failed - 1) * jitter
        if failed >= self._policy.attempts or time.monotonic() + delay > deadline:
            raise failure.error from None
        time.sleep(delay)


def each_at_once(
    work: Callable[[Item], Result], items: Sequence[Item], *, patience_seconds: float
) -> list[Result]:
    """Do `work` for several items at once and return the results in their order.

    Raises what the first failing one raised, and CannotBuild when none of them comes to an end
    for too long.
    """
    calls = [lambda item=item: work(item) for item in items]
    results: dict[int, Result] = {}
    with DaemonCalls(calls, threads=_THREADS, name="lpack-documents") as running:
        while len(results) < len(items):
            try:
                number, results[number] = running.next_ended(patience_seconds)
            except TimeoutError:
                raise CannotBuild(
                    f"the index does not answer within {patience_seconds:g} seconds",
                    hint="try again later, or ask whoever runs this index",
                ) from None
    return [results[number] for number in range(len(items))]


def _refused(title: str, url: str, reason: str) -> CannotBuild:
    return CannotBuild(
        f"`{title}` cannot be downloaded from `{redact_url(url)}`: {reason}",
        hint="try again later, or ask whoever runs this index",
    )
