"""Meeting a registry's challenge: basic authentication, or a bearer token for a scope.

Sources: distribution's specifications of token and OAuth2 authentication. Anonymous tokens are
asked for as well: public registries give them.
"""

import base64
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode, urlsplit

from packager.errors import LpackError
from packager.model.origin import Origin
from packager.parsing import parse_json
from packager.registry.access import Access
from packager.registry.challenge import Challenge, RealmRefusedError, check_realm
from packager.registry.docker_config import Login

if TYPE_CHECKING:
    from requests import Response

_LONGEST_TOKEN_BYTES = 1 << 20


class Refuse(Protocol):
    """Words a failure."""

    def __call__(self, reason: str, *, hint: str | None = None) -> LpackError:
        """Return the error for `reason`."""


class Authorizer:
    """Keeps what the registry wants in the Authorization header, by scopes."""

    def __init__(
        self, origin: Origin, host: str, access: Access, *, post: Callable[..., "Response"]
    ) -> None:
        """Know nothing yet; `post` sends one request without credentials of its own."""
        self._origin = origin
        self._host = host
        self._access = access
        self._send = post
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._is_login_known = False
        self._headers: dict[tuple[str, ...], str] = {}

    def header(self, scopes: Sequence[str]) -> Mapping[str, str]:
        """Return the header for `scopes`, nothing before a challenge was met for them."""
        value = self._headers.get(tuple(scopes))
        return {"Authorization": value} if value else {}

    def meet(
        self, challenges: Sequence[Challenge], scopes: Sequence[str], *, refuse: Refuse
    ) -> bool:
        """Get what the first usable of `challenges` demands; False when nothing is at hand.

        Raises what `refuse` words when the token server may not be asked or says no.
        """
        with self._lock:
            for challenge in challenges:
                if challenge.scheme == "bearer":
                    token = self._token(challenge, scopes, refuse=refuse)
                    self._headers[tuple(scopes)] = f"Bearer {token}"
                    return True
                login = self._known_login()
                if challenge.scheme == "basic" and login is not None and login.username:
                    self._headers[tuple(scopes)] = _basic(login)
                    return True
        return False

    def _known_login(self) -> Login | None:
        if not self._is_login_known:
            self._login = self._access.login(self._host)
            self._is_login_known = True
        return self._login

    def _token(self, challenge: Challenge, scopes: Sequence[str], *, refuse: Refuse) -> str:
        realm = challenge.parameters.get("realm", "")
        try:
            check_realm(realm, self._origin, allowed=self._access.token_hosts)
        except RealmRefusedError as error:
            host = urlsplit(realm).hostname or "HOST"
            raise refuse(str(error), hint=self._access.token_hint.format(host=host)) from None
        service = challenge.parameters.get("service", "")
        login = self._known_login()
        with closing(self._ask(realm, service, scopes, login)) as response:
            status = response.status_code
            if status != 200:
                hint = f"check the credentials for {self._host}: docker login {self._host}"
                raise refuse(f"its token server answers {status}", hint=hint)
            body = response.raw.read(_LONGEST_TOKEN_BYTES, decode_content=True)
        token = _token_in(body)
        if token is None:
            raise refuse("its token server answers without a token", hint="check the reference")
        return token

    def _ask(
        self, realm: str, service: str, scopes: Sequence[str], login: Login | None
    ) -> "Response":
        if login is not None and login.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": login.identity_token,
                "client_id": "lpack",
                "service": service,
                "scope": " ".join(scopes),
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._send("POST", realm, headers=headers, body=urlencode(form).encode())
        query = [("service", service)] if service else []
        query += [("scope", scope) for scope in scopes]
        headers = {"Authorization": _basic(login)} if login is not None else {}
        separator = "&" if "?" in realm else "?"
        return self._send("GET", f"{realm}{separator}{urlencode(query)}", headers=headers)


def _basic(login: Login) -> str:
    pair = f"{login.username}:{login.password}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _token_in(body: bytes) -> str | None:
    try:
        answer: Any = parse_json(body)
        token = answer.get("token") or answer.get("access_token")
    except (ValueError, AttributeError):
        return None
    # A token with a line break would be a second header.
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else None
