"""The shared store as the environment names it."""

import pytest

from packager.errors import UsageError
from packager.shared.settings import shared_place, shown


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://cache.example.com/lpack/", "https://cache.example.com/lpack"),
        ("http://user:p%2Fss@host:8080", "http://***@host:8080"),
        ("s3://bucket/some/prefix", "s3://bucket/some/prefix"),
        ("gs://bucket", "gs://bucket"),
        ("az://account/container", "az://account/container"),
    ],
)
def test_places(url: str, told: str) -> None:
    place = shared_place({"LPACK_SHARED_STORE": url})
    assert place is not None
    assert place.writes
    assert place.url == url.rstrip("/")
    assert shown(place) == told


def test_none_and_modes() -> None:
    assert shared_place({}) is None
    assert shared_place({"LPACK_SHARED_STORE": " ", "LPACK_SHARED_STORE_MODE": "junk"}) is None
    place = shared_place({"LPACK_SHARED_STORE": "s3://b", "LPACK_SHARED_STORE_MODE": "read"})
    assert place is not None
    assert not place.writes


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"": "ftp://u:secret@host/x"}, "`ftp://***@host/x`, no URL of a shared store"),
        ({"": "/srv/store"}, "no URL of a shared store"),
        ({"": "https://"}, "no URL of a shared store"),
        ({"": "https://host/x?sig=secret"}, "`https://host/x`, no URL of a shared store"),
        ({"": "http://host:port/x"}, "no URL of a shared store"),
        ({"": "http://[broken"}, "no URL of a shared store"),
        ({"": "s3://b", "_MODE": "write"}, "is `write`, neither read-write nor read"),
        ({"": "s3://b", "_KEY": "secret"}, "LPACK_SHARED_STORE_KEY is shorter than 16"),
    ],
)
def test_refusals(environment: dict[str, str], message: str) -> None:
    named = {f"LPACK_SHARED_STORE{name}": value for name, value in environment.items()}
    with pytest.raises(UsageError, match=r".") as caught:
        shared_place(named)
    assert message in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.hint
