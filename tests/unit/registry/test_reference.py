"""References as people write them."""

import pytest

from packager.errors import CannotPublish, LpackError, UsageError
from packager.registry.access import Access
from packager.registry.reference import is_loopback, parse_reference

DIGEST = "sha256:" + "a" * 64
READ = {
    "python:3.13-slim": ("registry-1.docker.io", "library/python", "3.13-slim", None),
    "team/app": ("registry-1.docker.io", "team/app", None, None),
    "docker.io/python": ("registry-1.docker.io", "library/python", None, None),
    "public.ecr.aws/lambda/python:3.13": (
        "public.ecr.aws",
        "lambda/python",
        "3.13",
        None,
    ),
    "localhost/x": ("localhost", "x", None, None),
    "localhost:5000/a/b/c:t": ("localhost:5000", "a/b/c", "t", None),
    f"ghcr.io/o/r:t@{DIGEST}": ("ghcr.io", "o/r", "t", DIGEST),
    f"[::1]:5000/r@{DIGEST}": ("[::1]:5000", "r", None, DIGEST),
    "docker://quay.io/o/r": ("quay.io", "o/r", None, None),
}


@pytest.mark.parametrize("text", READ)
def test_what_is_read(text: str) -> None:
    found = parse_reference(text)
    assert (found.host, found.repository, found.tag, found.digest) == READ[text]
    assert parse_reference(found.text) == found


@pytest.mark.parametrize(
    "text",
    ["", "Team/App", "a b", "x:", "x:-tag", "x@sha256:12", "x@md5:" + "a" * 64, "ftp://x/y",
     "host.example:port/x", "x/../y", "/x", "x//y", "https://", f"{'a' * 256}", "x:t\nt"],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_reference(text)


def test_credentials_in_a_reference_are_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference("https://me:secret@registry.example/x")
    assert "secret" not in caught.value.message + str(caught.value.hint)


def test_the_lower_case_name_is_proposed() -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference("registry.example/Team/App:1")
    assert caught.value.hint == "write `team/app`"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:1", "[::1]:5"]
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.evil.example", "128.0.0.1", "127.0.0.1.evil", "[::2]"])
def test_another_machine(host: str) -> None:
    assert not is_loopback(host)


def scheme(text: str, *, insecure: bool = False) -> str:
    access = Access(login=lambda _: None, refusal=CannotPublish, insecure=insecure)
    return access.scheme_for(parse_reference(text))


def test_http_is_for_this_machine_only() -> None:
    assert scheme("registry.example/x") == "https"
    assert scheme("localhost:5000/x") == "http"
    assert scheme("https://localhost:5000/x") == "https"
    assert scheme("registry.example/x", insecure=True) == "http"
    with pytest.raises(LpackError, match="without encryption"):
        scheme("http://registry.example/x")
