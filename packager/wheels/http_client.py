"""One GET for one wheel: credentials, redirects, and every failure worded.

`requests` brings netrc, proxies and certificates. What it leaves to the caller is decided here.
The errors of `requests` are never chained: their texts hold whole URLs, signatures included.
"""

import os
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from packager.errors import CannotBuild, LpackError, UsageError
from packager.model.network_failure import (
    TRANSIENT,
    causes_of,
    root_cause,
    wanted_wait_seconds,
)
from packager.model.origin import (
    DEFAULT_PORTS,
    Credentials,
    Origin,
    credentials_for,
    credentials_in,
    origin_of,
    redirected,
    without_credentials,
)
from packager.model.redaction import redact_url
from packager.model.requirement import IndexSettings

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

_CHUNK_BYTES: Final = 1 << 18
_MAXIMUM_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_GONE: Final = frozenset({404, 410})
_LONGEST_WAIT_SECONDS: Final = 60.0
# Bytes must arrive as they lie on the server: the digest is of them (RFC 9110 §12.5.3).
_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "lpack"}
_TRY_LATER: Final = "try again later: what arrived completely is kept"
_URL_HINT: Final = "correct the lock or the index URL"
_CERTIFICATE_HINT: Final = "name your certificate authority's file: REQUESTS_CA_BUNDLE=FILE"
_OFFLINE_HINT: Final = "check the network and the proxy, or use --offline with a filled store"


class Transient(Exception):  # noqa: N818 -- a verdict about a failure, never shown
    """A failure that may pass: `error` is what to raise when it does not.

    `after_seconds` is how long the server asks to wait (Retry-After, RFC 9110 §10.2.3).
    """

    def __init__(self, error: LpackError, *, after_seconds: float | None = None) -> None:
        """Keep the final wording for the case that trying again does not help."""
        super().__init__(error.message)
        self.error = error
        self.after_seconds = after_seconds


class NotThere(CannotBuild):
    """The server answers that it does not have what was asked for (404, 410)."""


class HttpClient:
    """A session with the indexes; may be used by several threads."""

    def __init__(self, settings: IndexSettings, *, connect_seconds: float) -> None:
        """Open a session; raises UsageError when the configured certificate does not exist."""
        import requests  # noqa: PLC0415 -- loaded only when something must be downloaded
        from requests.adapters import HTTPAdapter  # noqa: PLC0415 -- likewise

        certificate = settings.certificate
        if certificate and not os.path.exists(certificate):  # noqa: PTH110 -- text of the user
            raise UsageError(f"the certificate `{certificate}` does not exist")
        self._connect_seconds = connect_seconds
        self._certificate = certificate
        self._proxies = dict.fromkeys(DEFAULT_PORTS, settings.proxy) if settings.proxy else None
        self._known: dict[Origin, Credentials] = {}
        for url in (settings.index_url, *settings.extra_index_urls, *settings.find_links):
            with suppress(ValueError):
                self._known |= credentials_in(url or "")
        self._session = requests.Session()
        for scheme in DEFAULT_PORTS:
            self._session.mount(f"{scheme}://", HTTPAdapter(pool_maxsize=16))

    def close(self) -> None:
        """Close all connections that nobody uses."""
        self._session.close()

    def get(
        self, url: str, *, wheel: str, read_seconds: float, accept: str | None = None
    ) -> "Response":
        """Ask for `url` and follow redirects; the body has not been read yet.

        `wheel` is the file name for the errors. Raises Transient when trying again may help,
        NotThere when the server has no such thing, and CannotBuild when it cannot be had.
        """
        headers = _HEADERS if accept is None else {**_HEADERS, "Accept": accept}
        here = url
        try:
            known = self._known | credentials_in(url)
            first = origin_of(url).host
            for _ in range(_MAXIMUM_REDIRECTS + 1):
                origin = origin_of(here)
                auth = credentials_for(origin, known=known)
                # Only the host that the lock names is looked up in netrc, whose `default` entry
                # would otherwise be sent to wherever a redirect leads.
                anonymous = _anonymous if origin.host != first else None
                response = self._send(
                    here, auth or anonymous, headers, wheel=wheel, seconds=read_seconds
                )
                location = response.headers.get("Location")
                if response.status_code not in _REDIRECTS or not location:
                    return _accepted(response, here, wheel=wheel)
                response.close()
                here = redirected(here, location)
                known |= credentials_in(here)
        except ValueError as error:
            reason = str(error) if str(error).startswith("a redirect") else "no usable URL"
            raise _final(wheel, here, reason, hint=_URL_HINT) from None
        raise _final(wheel, url, "it redirects without end", hint=_TRY_LATER)

    def _send(
        self, url: str, auth: object, headers: dict[str, str], *, wheel: str, seconds: float
    ) -> "Response":
        try:
            return self._session.get(
                without_credentials(url),
                auth=auth,  # type: ignore[arg-type]  # a pair, a callable, or None for netrc
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(self._connect_seconds, seconds),
                # Given with each request: requests prefers its environment to the session's own.
                verify=self._certificate,
                proxies=self._proxies,
            )
        except OSError as error:
            raise _worded(error, url, wheel=wheel) from None


def body_of(response: "Response", *, wheel: str) -> Iterator[bytes]:
    """Yield the body as it lies on the server, in chunks of at most 256 KiB.

    Each chunk is what one read of the socket gave, so that the caller regains control whenever
    anything arrives. Raises Transient when the body breaks off.
    """
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 -- comes with requests

    while True:
        try:
            chunk = response.raw.read1(_CHUNK_BYTES, decode_content=False)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise Transient(
                _final(
                    wheel,
                    response.url,
                    f"the connection broke ({root_cause(error)})",
                    hint=_TRY_LATER,
                )
            ) from None
        if not chunk:
            return
        yield chunk


def abort(response: "Response") -> None:
    """Wake up the thread that reads this body: it sees the end at once."""
    with suppress(AttributeError, RuntimeError, ValueError, OSError):
        response.raw.shutdown()


def _anonymous(request: "PreparedRequest") -> "PreparedRequest":
    return request


def _final(wheel: str, url: str, reason: str, *, hint: str | None) -> CannotBuild:
    return CannotBuild(
        f"`{wheel}` cannot be downloaded from `{redact_url(url)}`: {reason}", hint=hint
    )


def _accepted(response: "Response", url: str, *, wheel: str) -> "Response":
    """Give the response back when it has a body to read, and raise otherwise."""
    status = response.status_code
    if status == 200:
        return response
    response.close()
    reason = f"the server answers {status} {response.reason or ''}".rstrip()
    if status in TRANSIENT or status >= 500:
        wait = wanted_wait_seconds(response.headers.get("Retry-After"), now=time.time())
        if wait is not None and wait > _LONGEST_WAIT_SECONDS:
            raise _final(wheel, url, reason, hint=f"try again in {wait:.0f} seconds, as it asks")
        raise Transient(_final(wheel, url, reason, hint=_TRY_LATER), after_seconds=wait)
    host = origin_of(url).host
    hints = {
        401: f"put the credentials for {host} into ~/.netrc or into the index URL",
        403: f"check the credentials for {host} in ~/.netrc or in the index URL",
        407: "put the credentials into the proxy's URL: http://USER:PASSWORD@PROXY:PORT",
    }
    error = _final(
        wheel, url, reason, hint=hints.get(status, "lock again: the file may have moved")
    )
    if status in _GONE:
        raise NotThere(error.message, hint=error.hint)
    raise error


def _worded(error: OSError, url: str, *, wheel: str) -> Exception:  # noqa: PLR0911 -- one line each
    """Turn what `requests` raised before there was an answer into our words."""
    from requests import exceptions  # noqa: PLC0415 -- only here when requests is loaded

    address = origin_of(url).address
    cause = root_cause(error)
    if isinstance(error, exceptions.InvalidProxyURL):
        return UsageError("the proxy's URL cannot be used", hint="write it as http://PROXY:PORT")
    if isinstance(error, exceptions.ProxyError):
        return Transient(_final(wheel, url, f"the proxy fails ({cause})", hint=_OFFLINE_HINT))
    if any(isinstance(e, ssl.SSLCertVerificationError) for e in causes_of(error)):
        return CannotBuild(
            f"`{address}` does not have a trusted certificate: {cause}",
            hint=_CERTIFICATE_HINT,
        )
    if isinstance(error, exceptions.ReadTimeout):
        return Transient(_final(wheel, url, "the server does not answer", hint=_TRY_LATER))
    if isinstance(error, exceptions.ConnectionError):
        return Transient(CannotBuild(f"cannot reach `{address}`: {cause}", hint=_OFFLINE_HINT))
    if isinstance(error, exceptions.InvalidURL):
        return _final(wheel, url, "no usable URL", hint=_URL_HINT)
    if isinstance(error, exceptions.RequestException):
        malformed = f"the answer is malformed ({cause})"
        return Transient(_final(wheel, url, malformed, hint=_TRY_LATER))
    # An OSError of its own: the certificate bundle that the environment names is not there.
    return _final(wheel, url, str(error), hint=_CERTIFICATE_HINT)
