"""Requests to one registry: credentials, tokens, redirects, patience, and every failure worded.

Sources: OCI distribution specification 1.1, RFC 9110, threats of the kind of CVE-2020-15157:
credentials and tokens go to the registry's own origin and to a token server that
`packager.registry.challenge` accepts, and nowhere else, wherever a redirect or a Location leads.
The errors of `requests` are never chained: their texts hold whole URLs, signatures included.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final

from packager.errors import LpackError
from packager.model.image import Reference
from packager.model.network_failure import TRANSIENT, causes_of, root_cause, wanted_wait_seconds
from packager.model.origin import Origin, origin_of, redirected
from packager.registry.access import Access, hint_for, word_of
from packager.registry.challenge import Challenge, parse_challenges
from packager.registry.patience import Abandoned, within
from packager.registry.sending import send
from packager.registry.tokens import Authorizer

if TYPE_CHECKING:
    from requests import Response

_LONGEST_WAIT_SECONDS: Final = 60.0
_MAXIMUM_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LONGEST_ERROR_BYTES: Final = 1 << 16
_CHUNK_BYTES: Final = 1 << 18

Body = Callable[[], Any]
"""Makes the body anew for each try: bytes, or a file that is read from where it stands."""


class Interrupted(Exception):  # noqa: N818 -- a verdict about a failure, never shown
    """A request that may succeed when it is made again; `error` is the wording if it does not."""

    def __init__(self, error: LpackError, *, after_seconds: float | None = None) -> None:
        """Keep the wording, and how long the server asks to wait."""
        super().__init__(error.message)
        self.error = error
        self.after_seconds = after_seconds


class Session:
    """Talks to the registry of one reference about one repository; usable by several threads."""

    def __init__(self, reference: Reference, access: Access, *, pushing: bool) -> None:
        """Prepare; nothing is sent yet. `pushing` decides which right a token asks for."""
        import requests  # noqa: PLC0415 -- loaded only when a registry is needed

        self.access = access
        self.reference = reference
        self.pushing = pushing
        self.base = f"{access.scheme_for(reference)}://{reference.host}"
        self.origin: Origin = origin_of(self.base)
        self.sent_bytes = 0
        self._counting = threading.Lock()
        self._abandoned = threading.Event()
        self._session = requests.Session()
        self._authorizer = Authorizer(self.origin, reference.host, access, post=self._plain)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def abandon(self) -> None:
        """End every wait in the other threads, with Abandoned: nobody needs their work any more."""
        self._abandoned.set()

    def url(self, path: str) -> str:
        """Return the URL of `path` below the repository, such as `manifests/latest`."""
        return f"{self.base}/v2/{self.reference.repository}/{path}"

    @property
    def login_hint(self) -> str | None:
        """Where credentials are looked for."""
        return hint_for(401, host=self.reference.host, repository="", pushing=self.pushing)

    def refuse(self, reason: str, *, hint: str | None = None) -> LpackError:
        """Word a failure that concerns this repository."""
        verb = "push to" if self.pushing else "pull from"
        name = f"{self.reference.host}/{self.reference.repository}"
        return self.access.refusal(f"cannot {verb} `{name}`: {reason}", hint=hint)

    def request(
        self,
        method: str,
        url: str,
        *,
        accept: Sequence[int],
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        scopes: Sequence[str] = (),
        attempts: int | None = None,
    ) -> "Response":
        """Send until the answer is one of `accept`, as often as the policy allows.

        The body of the answer has not been read. Raises Interrupted when `attempts` is 1 and
        trying again may help, otherwise the access's refusal.
        """
        policy = self.access.policy
        limit = attempts or policy.attempts
        for attempt in range(1, limit + 1):
            try:
                return self._authorized(method, url, accept, headers or {}, body, scopes)
            except Interrupted as failure:
                if attempts == 1:
                    raise
                if attempt == limit:
                    raise failure.error from None
                self.wait(attempt, failure.after_seconds)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def wait(self, attempt: int, asked_seconds: float | None) -> None:
        """Wait before try number `attempt` + 1: as asked, or twice as long as the last time."""
        delay = self.access.policy.first_delay * 2 ** (attempt - 1)
        delay *= random.uniform(0.5, 1)  # noqa: S311 -- no secret
        if self._abandoned.wait(delay if asked_seconds is None else asked_seconds):
            raise Abandoned

    def _authorized(
        self,
        method: str,
        url: str,
        accept: Sequence[int],
        headers: Mapping[str, str],
        body: Body | None,
        scopes: Sequence[str],
    ) -> "Response":
        """Send once, and once more after a challenge was met."""
        scopes = scopes or (self.scope(self.reference.repository, push=self.pushing),)
        for is_second in (False, True):
            response = self._following(method, url, headers, body, scopes)
            if response.status_code in accept:
                return response
            challenges = self._challenges(response)
            with closing(response):
                if is_second or not challenges:
                    raise self._worded(response)
            if not self._authorizer.meet(challenges, scopes, refuse=self.refuse):
                raise self.refuse("it wants credentials, and there are none", hint=self.login_hint)
        raise AssertionError("unreachable: the second answer returns or raises")

    @staticmethod
    def scope(repository: str, *, push: bool) -> str:
        """Return the scope that a token for `repository` needs."""
        return f"repository:{repository}:{'pull,push' if push else 'pull'}"

    def _challenges(self, response: "Response") -> list[Challenge]:
        """Return what the registry itself demands; another host's demands are not met."""
        if response.status_code != 401 or origin_of(response.url) != self.origin:
            return []
        return parse_challenges(response.headers.get("WWW-Authenticate", ""))

    def _following(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body | None,
        scopes: Sequence[str],
    ) -> "Response":
        """Send, and follow redirects of requests that only read."""
        here = url
        for _ in range(_MAXIMUM_REDIRECTS + 1):
            sent = dict(headers)
            if origin_of(here) == self.origin:
                sent |= self._authorizer.header(scopes)
            response = self._plain(method, here, headers=sent, body=body() if body else None)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not location:
                return response
            response.close()
            if method not in {"GET", "HEAD"}:
                raise self.refuse("it redirects what is sent to it", hint="check the reference")
            here = self.target_of(here, location)
        raise self.refuse("it redirects without end", hint="check the reference")

    def target_of(self, url: str, location: str) -> str:
        """Resolve a Location header; raises the refusal for one that leads out of https."""
        try:
            target = redirected(url, location)
            origin_of(target)
        except ValueError as error:
            reason = str(error) if "redirect" in str(error) else "a redirect to no usable URL"
            raise self.refuse(f"it answers {reason}", hint="check the reference") from None
        return target

    def _plain(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Any = None,  # noqa: ANN401 -- bytes or a file
    ) -> "Response":
        """Send one request without following anything, and turn its failure into Interrupted."""
        from requests import exceptions  # noqa: PLC0415 -- comes with the session

        policy = self.access.policy

        def call() -> "Response":
            return send(self._session, method, url, headers=headers, body=body, policy=policy)

        try:
            return within(call, seconds=policy.deadline, abandoned=self._abandoned)
        except TimeoutError:
            raise self._too_slow() from None
        except (exceptions.RequestException, HTTPException, OSError) as error:
            raise self._unreached(error, url) from None
        except ValueError:
            # requests reads a Location even where it is told not to follow it.
            reason = "it answers a redirect to no usable URL"
            raise self.refuse(reason, hint="check the reference") from None

    def _unreached(self, error: Exception, url: str) -> Exception:
        cause, address = root_cause(error), origin_of(url).address
        if any(type(each).__name__ == "SSLCertVerificationError" for each in causes_of(error)):
            hint = "name your certificate authority's file: REQUESTS_CA_BUNDLE=FILE"
            return self.refuse(f"`{address}` has no trusted certificate: {cause}", hint=hint)
        if "WRONG_VERSION_NUMBER" in str(error):
            hint = "if it speaks http only and the network is trusted: --insecure"
            return self.refuse(f"`{address}` does not speak https", hint=hint)
        hint = "check the network, the proxy and the reference"
        return Interrupted(self.refuse(f"the connection to `{address}` fails: {cause}", hint=hint))

    def _worded(self, response: "Response") -> Exception:
        """Turn an answer that is not wanted into an error; it is read and closed."""
        status = response.status_code
        until = time.monotonic() + self.access.policy.read_timeout
        chunks = self.chunks(response, limit_bytes=_LONGEST_ERROR_BYTES, until=until, ends=True)
        body = b"".join(chunks)
        said = word_of(body)
        host = origin_of(response.url).host
        reason = f"{host} answers {status} {response.reason or ''}".rstrip()
        wait = wanted_wait_seconds(response.headers.get("Retry-After"), now=time.time())
        repository = self.reference.repository
        hint = hint_for(
            status, host=self.reference.host, repository=repository, pushing=self.pushing
        )
        if wait is not None and wait > _LONGEST_WAIT_SECONDS:
            hint = f"try again in {wait:.0f} seconds, as it asks"
        error = self.refuse(f"{reason} ({said})" if said else reason, hint=hint)
        passing = status in TRANSIENT or status >= 500
        if not passing or (wait is not None and wait > _LONGEST_WAIT_SECONDS):
            return error
        if hint is None:
            error = self.refuse(str(error.message).partition(": ")[2], hint="try again later")
        return Interrupted(error, after_seconds=wait)

    def chunks(
        self, response: "Response", *, limit_bytes: int, until: float, ends: bool = False
    ) -> Iterator[bytes]:
        """Yield the body, at most `limit_bytes` and one chunk more; raises Interrupted.

        Each chunk is what one read of the socket gave. The refusal is raised when something
        arrives after `until` (`time.monotonic`). With `ends`, a body that breaks off or is late
        just ends, for texts that only explain.
        """
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 -- comes with requests

        received = 0
        try:
            # As it lies on the server, whatever it calls the encoding: the digest is of that.
            while received <= limit_bytes:
                chunk = response.raw.read1(_CHUNK_BYTES, decode_content=False)
                if not chunk or (ends and time.monotonic() > until):
                    return
                if self._abandoned.is_set():
                    raise Abandoned
                if time.monotonic() > until:
                    raise self._too_slow()
                received += len(chunk)
                yield chunk
        except (HTTPError, OSError, HTTPException, ValueError) as error:
            if not ends:
                reason = f"the connection broke ({root_cause(error)})"
                raise Interrupted(self.refuse(reason, hint="try again")) from None

    def until(self) -> float:
        """Return when something that is begun now must have arrived."""
        return time.monotonic() + self.access.policy.deadline

    def _too_slow(self) -> LpackError:
        seconds = self.access.policy.deadline
        reason = f"nothing arrived completely within {seconds:g} seconds"
        return self.refuse(reason, hint="try again later: what arrived completely is kept")

    def count(self, sent_bytes: int) -> None:
        """Add to the bytes of blobs that were sent."""
        with self._counting:
            self.sent_bytes += sent_bytes
