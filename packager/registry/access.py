"""How a registry may be spoken to, and what a failure becomes. No network here."""

from collections.abc import Callable
from dataclasses import dataclass

from packager.errors import LpackError
from packager.model.image import Reference
from packager.model.redaction import redact_text
from packager.model.retry_policy import DEFAULT_POLICY, RetryPolicy
from packager.parsing import parse_json
from packager.registry.docker_config import Login
from packager.registry.reference import is_loopback

_LONGEST_WORD = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What the user allows.

    `login` finds the credentials for a host, `refusal` is what failures are raised as (cannot
    build, cannot publish). `insecure` allows http beyond this machine. `token_hosts` are further
    hosts that tokens may be asked of, and get the credentials; `token_hint` says how to add one.
    """

    login: Callable[[str], Login | None]
    refusal: type[LpackError]
    insecure: bool = False
    token_hosts: tuple[str, ...] = ()
    token_hint: str = "if that is right: --token-host {host}"  # noqa: S105 -- a sentence
    policy: RetryPolicy = DEFAULT_POLICY

    def scheme_for(self, reference: Reference) -> str:
        """Return `http` for this machine or when allowed, otherwise `https`.

        Raises the refusal when the reference says `http://` of another machine.
        """
        local = is_loopback(reference.host)
        if reference.scheme == "http" and not (local or self.insecure):
            raise self.refusal(
                f"`{reference.host}` would be spoken to without encryption",
                hint="write it without http://, or allow it with --insecure",
            )
        if reference.scheme:
            return reference.scheme
        return "http" if local or self.insecure else "https"


def word_of(body: bytes) -> str:
    """Return what an error document of a registry says, in one line of at most 200 characters.

    Source: OCI distribution specification, error codes. Empty when it says nothing.
    """
    try:
        errors = parse_json(body)["errors"]
        first = errors[0]
        text = str(first.get("message") or first["code"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    line = " ".join(redact_text(text).split())
    return "".join(c for c in line if c.isprintable())[:_LONGEST_WORD]


def hint_for(status: int, *, host: str, repository: str, pushing: bool) -> str | None:
    """Return what to do about an answer of the registry `host`."""
    if status == 401:
        files = f"docker login {host}, which writes ~/.docker/config.json"
        return files + (", or --username NAME --password-stdin" if pushing else "")
    if status == 403:
        right = "push to" if pushing else "pull from"
        return f"the account needs the right to {right} `{repository}` on {host}"
    if status == 404:
        if pushing:
            return f"create the repository `{repository}` on {host} first"
        return "check name, tag and digest of the reference"
    if status == 407:
        return "put the credentials into the proxy's URL: http://USER:PASSWORD@PROXY:PORT"
    later = "try again later: what arrived completely is kept"
    return later if status >= 500 else "check host and name of the reference"
