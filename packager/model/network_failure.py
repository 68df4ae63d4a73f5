"""What a failed request says, without the wrappings of libraries, which hold whole URLs. Pure."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

TRANSIENT = frozenset({408, 425, 429})
"""Answers below 500 after which the same request may succeed (RFC 9110, RFC 6585, RFC 8470)."""


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error` and what it came from, the outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def root_cause(error: BaseException) -> str:
    """Return what the system said."""
    chain = list(causes_of(error))
    for link in reversed(chain):
        # The errors of certificates (ssl.SSLCertVerificationError) say more than their text.
        verification = getattr(link, "verify_message", None)
        if isinstance(verification, str) and verification:
            return verification
        if isinstance(link, OSError) and link.strerror:
            return link.strerror
        if isinstance(link, TimeoutError):
            return "timed out"
    return type(chain[0]).__name__


def wanted_wait_seconds(retry_after: str | None, *, now: float) -> float | None:
    """Read Retry-After, seconds or a date (RFC 9110 §10.2.3); None when there is none.

    `now` is the clock in seconds since 1970.
    """
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now)
    except (ValueError, OverflowError):
        return None
