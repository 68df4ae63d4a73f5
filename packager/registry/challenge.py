"""What a registry demands before it answers, and whom a token may be asked of. Pure.

Sources: RFC 9110 §11 (challenges), the distribution project's token specification. A registry
chooses the realm that credentials are sent to; CVE-2020-15157 and its successors show what comes
of following it anywhere, hence `check_realm`.
"""

import ipaddress
import re
from collections.abc import Collection
from typing import Final, NamedTuple

from packager.model.origin import Origin, origin_of

TOKEN_HOSTS: Final = {
    "registry-1.docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
}
"""Hosts that give tokens for a registry of another name, as their operators document."""

_SCHEME = re.compile(r"\s*([A-Za-z][\w.-]*)\s+")
_PARAMETER = re.compile(r'\s*([A-Za-z][\w.-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*,?')


class Challenge(NamedTuple):
    """One way to be let in: `scheme` in lower case, and its parameters."""

    scheme: str
    parameters: dict[str, str]


class RealmRefusedError(ValueError):
    """Credentials would go somewhere they do not belong."""


def parse_challenges(header: str) -> list[Challenge]:
    """Read a WWW-Authenticate header; what cannot be read ends the list."""
    found: list[Challenge] = []
    position = 0
    while match := _SCHEME.match(header, position):
        position = match.end()
        parameters: dict[str, str] = {}
        while part := _PARAMETER.match(header, position):
            position = part.end()
            quoted = part[2]
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else part[3]
            parameters.setdefault(part[1].lower(), value)
        found.append(Challenge(match[1].lower(), parameters))
        if not parameters:
            break
    return found


def check_realm(realm: str, registry: Origin, *, allowed: Collection[str]) -> None:
    """Raise RealmRefusedError when a token must not be asked of `realm`.

    It has to be the registry's own host or one of `allowed`, over https unless the registry
    itself is spoken to in http, and no address that only this machine's network can mean.
    """
    try:
        origin = origin_of(realm)
    except ValueError:
        raise RealmRefusedError("its token server has no usable URL") from None
    host = origin.host
    if host != registry.host and host not in allowed and host not in TOKEN_HOSTS.get(
        registry.host, frozenset()
    ):  # fmt: skip
        raise RealmRefusedError(f"it sends clients to `{host}` for a token")
    if origin.scheme != "https" and not (
        registry.scheme == "http" and host == registry.host
    ):  # fmt: skip
        raise RealmRefusedError(f"its token server `{host}` is not reached over https")
    if host != registry.host and _is_inside(host):
        raise RealmRefusedError(f"its token server `{host}` is an address of the local network")
    if "@" in realm.partition("://")[2].partition("/")[0]:
        raise RealmRefusedError("the URL of its token server holds credentials")


def _is_inside(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".internal", ".local"))
    return not address.is_global
