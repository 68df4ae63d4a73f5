"""What registries demand, and whom a token may be asked of."""

import pytest

from packager.model.origin import origin_of
from packager.registry.challenge import RealmRefusedError, check_realm, parse_challenges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        (
            'Bearer realm="https://a/t",service="s, t",scope="repository:a/b:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://a/t",
                        "service": "s, t",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
        ),
        (
            'Basic realm="a", Bearer realm=b , service = "c"',
            [("basic", {"realm": "a"}), ("bearer", {"realm": "b", "service": "c"})],
        ),
        ('bearer realm="a\\"b"', [("bearer", {"realm": 'a"b'})]),
        ("", []),
        ("\x00=,=", []),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [tuple(each) for each in parse_challenges(header)] == expected


ALLOWED = [
    ("https://registry.example", "https://registry.example/token", ()),
    ("https://registry.example:5000", "https://registry.example/auth?x=1", ()),
    ("https://registry-1.docker.io", "https://auth.docker.io/token", ()),
    ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", ()),
    ("https://registry.example", "https://login.example/token", ("login.example",)),
    ("http://localhost:5000", "http://localhost:5001/token", ()),
]


@pytest.mark.parametrize(("registry", "realm", "allowed"), ALLOWED)
def test_allowed(registry: str, realm: str, allowed: tuple[str, ...]) -> None:
    check_realm(realm, origin_of(registry), allowed=allowed)


REFUSED = [
    ("https://registry.example", "https://evil.example/token"),
    ("https://registry.example", "http://registry.example/token"),
    ("https://registry.example", "https://registry.example.evil/token"),
    ("https://registry.example", "https://auth.docker.io/token"),
    ("http://localhost:5000", "http://127.0.0.1:5000/token"),
    ("https://registry.example", "token"),
    ("https://registry.example", "https://"),
]


@pytest.mark.parametrize(("registry", "realm"), REFUSED)
def test_refused(registry: str, realm: str) -> None:
    with pytest.raises(RealmRefusedError):
        check_realm(realm, origin_of(registry), allowed=())


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "10.0.0.1", "127.0.0.1", "metadata.internal", "localhost"]
)
def test_inner_addresses_are_refused_even_when_named(host: str) -> None:
    with pytest.raises(RealmRefusedError, match="local network"):
        check_realm(f"https://{host}/token", origin_of("https://registry.example"), allowed=(host,))
