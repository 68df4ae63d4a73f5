"""A shared store behind plain HTTP GET, HEAD and PUT: nginx with WebDAV, bazel-remote.

Credentials come from the URL or from netrc; `requests` brings netrc, proxies and certificates.
Redirects are not followed: nothing of this protocol needs them, and one could lead anywhere.
"""

from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from packager.model.network_failure import root_cause
from packager.model.origin import without_credentials
from packager.model.shared_store import FailedError, Patience
from packager.shared.outgoing import Outgoing

if TYPE_CHECKING:
    from requests import Response

_CHUNK_BYTES: Final = 1 << 18
_LONGEST_REMARK_BYTES: Final = 1 << 16
_CONNECTIONS: Final = 16
_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "lpack"}
_ABSENT: Final = frozenset({404, 410})
_REFUSED: Final = frozenset({401, 403, 405, 407, 501})


class HttpPlace:
    """A session with the server; may be used by several threads."""

    def __init__(self, url: str, patience: Patience) -> None:
        """Open a session; nothing is sent yet."""
        import requests  # noqa: PLC0415 -- loaded only when a shared store is asked
        from requests.adapters import HTTPAdapter  # noqa: PLC0415 -- likewise

        parts = urlsplit(url)
        self._auth = None
        if parts.username is not None:
            self._auth = (unquote(parts.username), unquote(parts.password or ""))
        self._base = without_credentials(url)
        self._timeout = (patience.connect, patience.silence)
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS, max_retries=0))

    def read(self, path: str) -> Iterator[bytes] | None:
        """Give the chunks of a value, None when there is none; raises FailedError, later too."""
        response = self._ask("GET", path)
        if response.status_code in _ABSENT:
            _finish(response)
            return None
        return _chunks(_accepted(response, {200}))

    def has(self, path: str) -> bool:
        """Tell whether a value is there; raises FailedError."""
        response = self._ask("HEAD", path)
        if response.status_code in _ABSENT:
            _finish(response)
            return False
        _finish(_accepted(response, {200, 204}))
        return True

    def write(self, path: str, value: Outgoing) -> None:
        """Put a value; raises FailedError."""
        _finish(_accepted(self._ask("PUT", path, value), {200, 201, 202, 204}))

    def _ask(self, method: str, path: str, body: Outgoing | None = None) -> "Response":
        try:
            return self._session.request(
                method,
                f"{self._base}/{path}",
                data=body,
                auth=self._auth,
                headers=_HEADERS,
                stream=True,
                allow_redirects=False,
                timeout=self._timeout,
            )
        except (OSError, ValueError) as error:
            raise _failed(error) from None


def _accepted(response: "Response", wanted: set[int]) -> "Response":
    status = response.status_code
    if status in wanted:
        return response
    response.close()
    raise FailedError(f"it answers {status}", final=status in _REFUSED)


def _finish(response: "Response") -> None:
    """Read what little a server says besides its status, so that the connection can be kept."""
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 -- comes with requests

    with suppress(HTTPError, HTTPException, OSError, ValueError):
        response.raw.read(_LONGEST_REMARK_BYTES)
    response.close()


def _chunks(response: "Response") -> Iterator[bytes]:
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 -- comes with requests

    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
            yield chunk
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise _failed(error) from None
    finally:
        response.close()


def _failed(error: Exception) -> FailedError:
    """Word what `requests` raised; its own texts hold whole URLs."""
    from requests import exceptions  # noqa: PLC0415 -- only here when requests is loaded

    if isinstance(error, exceptions.Timeout):
        connecting = isinstance(error, exceptions.ConnectTimeout)
        return FailedError("it does not answer", final=connecting)
    unreachable = isinstance(error, exceptions.ConnectionError)
    return FailedError(root_cause(error), final=unreachable and _never_connected(error))


def _never_connected(error: Exception) -> bool:
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415 -- comes with requests

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)
