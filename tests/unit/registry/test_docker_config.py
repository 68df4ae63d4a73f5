"""Credentials where `docker login` keeps them, with real helper programs."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from packager.errors import UsageError
from packager.registry.docker_config import Login, find_login

SECRET = "s3cr3t"  # noqa: S105 -- of nobody


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the configuration, and one for helpers that comes first on PATH."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "config.json"


def auth(user: str = "me", password: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def helper(config: Path, name: str, script: str) -> None:
    path = config.with_name(f"docker-credential-{name}")
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def write(config: Path, **document: Any) -> None:
    config.write_text(json.dumps(document))


def test_nothing_is_configured(config: Path) -> None:
    assert find_login("registry.example") is None
    write(config, auths={})
    assert find_login("registry.example") is None


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("registry.example:5000", "registry.example:5000"),
        ("https://registry.example/v1/", "registry.example"),
        ("https://index.docker.io/v1/", "registry-1.docker.io"),
    ],
)
def test_auths(config: Path, key: str, host: str) -> None:
    write(config, auths={key: auth(), "other.example": auth("not", "this")})
    assert tuple(find_login(host) or ()) == ("me", SECRET, "")


def test_a_port_is_another_registry(config: Path) -> None:
    write(config, auths={"registry.example:5000": auth()})
    assert find_login("registry.example") is None


def test_an_identity_token(config: Path) -> None:
    write(config, auths={"r.example": {**auth("00000000", ""), "identitytoken": SECRET}})
    found = find_login("r.example")
    assert found is not None
    assert found.identity_token == SECRET
    assert SECRET not in repr(found)


def test_a_helper_of_one_registry_comes_first(config: Path) -> None:
    helper(config, "one", f'read host; printf \'{{"Username":"%s","Secret":"{SECRET}"}}\' "$host"')
    write(config, credHelpers={"r.example": "one"}, auths={"r.example": auth()})
    assert tuple(find_login("r.example") or ()) == ("r.example", SECRET, "")


def test_a_store_for_all_then_auths(config: Path) -> None:
    helper(config, "all", "echo 'credentials not found in native keychain'; exit 1")
    write(config, credsStore="all", auths={"r.example": auth()})
    assert tuple(find_login("r.example") or ()) == ("me", SECRET, "")
    helper(config, "all", f'echo \'{{"Username":"<token>","Secret":"{SECRET}"}}\'')
    assert tuple(find_login("r.example") or ()) == ("", "", SECRET)


BROKEN = {
    "fails": f"echo {SECRET}; echo {SECRET} >&2; exit 3",
    "no-json": f"echo {SECRET}",
    "half": f'echo \'{{"Secret":"{SECRET}"}}\'',
    "bytes": r"printf '\377'",
}


@pytest.mark.parametrize("name", [*BROKEN, "absent", "../../bin/sh"])
def test_helpers_that_fail_are_named_and_tell_nothing(config: Path, name: str) -> None:
    if name in BROKEN:
        helper(config, name, BROKEN[name])
    write(config, credHelpers={"r.example": name})
    with pytest.raises(UsageError) as caught:
        find_login("r.example")
    assert name in caught.value.message
    assert SECRET not in caught.value.message + str(caught.value.hint)


def test_a_helper_that_hangs_is_not_waited_for(config: Path) -> None:
    helper(config, "slow", "exec sleep 30")
    write(config, credHelpers={"r.example": "slow"})
    with pytest.raises(UsageError, match="did not answer"):
        find_login("r.example", helper_seconds=0.2)


@pytest.mark.parametrize("text", ["", "[]", '{"auths": {"r.example": {"auth": "%%%"}}}'])
def test_files_that_cannot_be_used(config: Path, text: str) -> None:
    config.write_text(text)
    with pytest.raises(UsageError):
        find_login("r.example")


def test_a_login_is_never_shown() -> None:
    assert SECRET not in f"{Login('me', SECRET)!r}"
