"""Credentials for registries where `docker login` and its relatives keep them.

Source: docker-cli's `config.json` (auths, credHelpers, credsStore) and the protocol of
docker-credential-helpers. What is found is never shown: errors name the helper and the registry.
"""

import base64
import binascii
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packager.errors import UsageError
from packager.parsing import parse_json

HELPER_SECONDS = 30.0
_HUB = "registry-1.docker.io"
_HUB_KEY = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105 -- the word with which helpers announce a token
_HELPER = re.compile(r"[A-Za-z0-9_.-]+")
_NOTHING = ("credentials not found", "no credentials server url", "no credentials username")


class Login(NamedTuple):
    """A name and a password, or an identity token (OAuth2 refresh token)."""

    username: str
    password: str
    identity_token: str = ""

    def __repr__(self) -> str:
        """Show nothing."""
        return "Login(***)"


def find_login(host: str, *, helper_seconds: float = HELPER_SECONDS) -> Login | None:
    """Return the credentials for the registry `host`, None when nothing is configured.

    Raises UsageError for a configuration that cannot be read and a helper that fails.
    """
    path = Path(os.environ.get("DOCKER_CONFIG") or Path("~/.docker").expanduser()) / "config.json"
    configuration = _read(path)
    if configuration is None:
        return None
    key = _HUB_KEY if host == _HUB else host
    helpers = configuration.get("credHelpers")
    helper = helpers.get(key) or helpers.get(host) if isinstance(helpers, dict) else None
    if isinstance(helper, str):
        return _ask(helper, key, seconds=helper_seconds)
    store = configuration.get("credsStore")
    if isinstance(store, str) and store:
        found = _ask(store, key, seconds=helper_seconds)
        if found is not None:
            return found
    return _listed(configuration.get("auths"), key, path=path)


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        configuration = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}") from error
    except ValueError:
        configuration = None
    if not isinstance(configuration, dict):
        # The cause is not chained: the text of a JSON error can quote the file.
        raise UsageError(f"`{path}` is not JSON", hint="docker login HOST writes it anew") from None
    return configuration


def _listed(auths: object, key: str, *, path: Path) -> Login | None:
    if not isinstance(auths, dict):
        return None
    entry = next((auths[name] for name in auths if _same_server(name, key)), None)
    if not isinstance(entry, dict):
        return None
    token = str(entry.get("identitytoken") or "")
    try:
        decoded = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise UsageError(
            f"`auths` of `{path}` has no usable credentials for {key}", hint=f"docker login {key}"
        ) from None
    username, _, password = decoded.partition(":")
    username = username or str(entry.get("username") or "")
    password = password.rstrip("\0") or str(entry.get("password") or "")
    return Login(username, password, token) if token or username else None


def _same_server(name: str, key: str) -> bool:
    """Compare servers as docker does: the scheme and a path of the old API do not count."""
    return name == key or _plain(name) == _plain(key)


def _plain(name: str) -> str:
    return name.partition("://")[2].partition("/")[0] if "://" in name else name.partition("/")[0]


def _ask(helper: str, key: str, *, seconds: float) -> Login | None:
    """Ask `docker-credential-HELPER`, which gets the server on stdin and answers JSON."""
    program = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        raise UsageError(f"`{helper}` is no name of a credential helper")
    hint = f"correct credHelpers or credsStore in config.json, or try `{program} list`"
    try:
        done = subprocess.run(
            [program, "get"], input=key, capture_output=True, text=True, check=False,
            timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        message = f"`{program}` did not answer for {key} within {seconds:.0f} s"
        raise UsageError(message, hint=hint) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "its answer is no text"
        raise UsageError(f"cannot run `{program}` for {key}: {reason}", hint=hint) from None
    if done.returncode:
        if any(text in done.stdout.lower() for text in _NOTHING):
            return None
        raise UsageError(f"`{program}` failed for {key} ({done.returncode})", hint=hint)
    return _answer(done.stdout, program, hint=hint)


def _answer(text: str, program: str, *, hint: str) -> Login | None:
    try:
        answer = parse_json(text)
        username, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"`{program}` answers something else than its protocol", hint=hint
        ) from None
    if username == _TOKEN_USER:
        return Login("", "", secret)
    return Login(username, secret) if username or secret else None
