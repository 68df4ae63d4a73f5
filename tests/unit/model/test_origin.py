"""Which host sees which credentials, as a table."""

import pytest

from packager.model.origin import (
    credentials_for,
    credentials_in,
    origin_of,
    redirected,
    without_credentials,
)


@pytest.mark.parametrize(
    ("given_to", "asked_for", "shared"),
    [
        ("https://u:p@host/a", "https://host/b", True),
        ("https://u:p@host/a", "https://HOST:443/b", True),
        ("https://u:p@host:8443/a", "https://host/b", False),
        ("https://u:p@host/a", "http://host/b", False),
        ("http://u:p@host/a", "https://host/b", True),
        ("http://u:p@host:8080/a", "https://host/b", False),
        ("http://u:p@host/a", "https://host:8443/b", False),
        ("https://u:p@host/a", "https://host.other/b", False),
        ("https://u:p@host/a", "https://other@evil/b", False),
    ],
)
def test_credentials_belong_to_one_origin(given_to: str, asked_for: str, shared: bool) -> None:
    found = credentials_for(origin_of(asked_for), known=credentials_in(given_to))
    assert found == (("u", "p") if shared else None)


def test_credentials_are_unquoted() -> None:
    assert list(credentials_in("https://a%40b:p%2Fw@host/").values()) == [("a@b", "p/w")]
    assert list(credentials_in("https://token@host/").values()) == [("token", "")]
    assert credentials_in("https://host/") == {}


@pytest.mark.parametrize("url", ["", "host/x", "ftp://host/x", "https:///x", "https://h:x/", "a:b"])
def test_no_origin(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        origin_of(url)


def test_without_credentials() -> None:
    assert without_credentials("https://u:p@[::1]:8/a?b=1#c") == "https://[::1]:8/a?b=1"
    assert origin_of("https://[::1]:8/").address == "[::1]:8"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://host/b"),
        ("b?x=%20y", "https://host/d/b?x=%20y"),
        ("//other/b", "https://other/b"),
        ("https://v:w@other/b", "https://v:w@other/b"),
        ("/with space", "https://host/with%20space"),
    ],
)
def test_redirected(location: str, target: str) -> None:
    assert redirected("https://u:p@host/d/a", location) == target


@pytest.mark.parametrize("location", ["http://host/b", "ftp://host/b", "https://[x/", "file:///b"])
def test_a_redirect_does_not_leave_https(location: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        redirected("https://host/a", location)
