"""Which host may see which credentials, and where a redirect may lead: pure rules on URLs."""

from typing import Final, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

Credentials = tuple[str, str]


class Origin(NamedTuple):
    """What RFC 6454 calls an origin; credentials belong to exactly one."""

    scheme: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """The server for people: `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def origin_of(url: str) -> Origin:
    """Give the origin of an http or https URL; raises ValueError for any other text."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("no http or https URL")
    # Port 0 is falsy, hence the comparison with None.
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    return Origin(parts.scheme, parts.hostname.lower(), port)


def credentials_in(url: str) -> dict[Origin, Credentials]:
    """Give the user information of `url`, if there is any, under its origin."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    return {origin_of(url): (unquote(parts.username), unquote(parts.password or ""))}


def credentials_for(origin: Origin, *, known: dict[Origin, Credentials]) -> Credentials | None:
    """Choose the credentials for `origin`: its own, or those of the same host before an upgrade.

    An index at http://host that redirects to https://host is the same server, more safely.
    """
    own = known.get(origin)
    if own is None and origin.scheme == "https" and origin.port == DEFAULT_PORTS["https"]:
        return known.get(Origin("http", origin.host, DEFAULT_PORTS["http"]))
    return own


def without_credentials(url: str) -> str:
    """Give `url` without user information and fragment, ready to be requested."""
    parts: SplitResult = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def redirected(url: str, location: str) -> str:
    """Resolve a Location header against `url` (RFC 9110 §10.2.2).

    Raises ValueError when the header is no URL, or leads from https to anything else: whoever
    sits between could then read and change what was meant to be protected.
    """
    # HTTP headers are read as Latin-1, while servers write UTF-8.
    text = quote(location.encode("latin-1"), safe="%/:=&?~#+!$,;'@()*[]")
    target = urljoin(without_credentials(url), text)
    if origin_of(url).scheme == "https" and origin_of(target).scheme != "https":
        raise ValueError("a redirect from https to http")
    return target
