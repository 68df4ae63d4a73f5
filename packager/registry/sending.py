"""One request as the registry gets it: nothing followed, nothing added, its body not yet read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from packager.model.origin import without_credentials
from packager.model.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from requests import PreparedRequest, Response
    from requests import Session as Connections


def send(
    connections: "Connections",
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: Any,  # noqa: ANN401 -- bytes or a file
    policy: RetryPolicy,
) -> "Response":
    """Send and wait for the head of the answer; raises what `requests` raises."""
    return connections.request(
        method,
        without_credentials(url),
        data=body,
        headers={"User-Agent": "lpack", "Accept-Encoding": "identity", **headers},
        # A callable keeps requests from adding what netrc has for the host.
        auth=_as_it_is,
        stream=True,
        allow_redirects=False,
        timeout=(policy.connect_timeout, policy.read_timeout),
    )


def _as_it_is(request: "PreparedRequest") -> "PreparedRequest":
    return request
