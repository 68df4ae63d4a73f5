"""References to images as people write them: `registry.example:5000/team/app:1.2`. Pure.

The grammar is that of github.com/distribution/reference; a name without a registry is Docker
Hub's, as everywhere.
"""

import re

from packager.errors import UsageError
from packager.model.image import Reference, hex_of

_HUB = "registry-1.docker.io"
_HUB_NAMES = frozenset({"docker.io", "index.docker.io", _HUB})
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?")
_REPOSITORY = re.compile(
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?")
_LONGEST_REPOSITORY = 255


def parse_reference(text: str) -> Reference:
    """Read a reference; a scheme before it (`https://`) is kept. Raises UsageError."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    if scheme not in {"", "docker", "http", "https"} or not rest:
        raise _wrong(text, "it is no reference of an image")
    if "@" in rest.partition("/")[0]:
        raise UsageError(
            "credentials do not belong into the reference of an image",
            hint="docker login HOST, or lpack publish image … --username NAME --password-stdin",
        )
    rest, _, digest = rest.partition("@")
    first, slash, path = rest.partition("/")
    if slash and (set(first) & {".", ":"} or first == "localhost"):
        host = first
    else:
        host, path = _HUB, rest
    path, tag = _tag_of(path)
    if host in _HUB_NAMES:
        host, path = _HUB, path if "/" in path else f"library/{path}"
    _check(text, host, path, tag, digest)
    return Reference(
        host=host.lower(),
        repository=path,
        tag=tag,
        digest=digest or None,
        scheme="" if scheme == "docker" else scheme,
    )


def is_loopback(host: str) -> bool:
    """Tell whether `host` (with a port or without) can only be this machine."""
    return _LOOPBACK.fullmatch(host) is not None


def _tag_of(path: str) -> tuple[str, str | None]:
    head, colon, tag = path.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (path, None)


def _check(text: str, host: str, repository: str, tag: str | None, digest: str) -> None:
    if not _HOST.fullmatch(host):
        raise _wrong(text, f"`{host}` is no name of a registry")
    if not _REPOSITORY.fullmatch(repository) or len(repository) > _LONGEST_REPOSITORY:
        lower = repository.lower()
        hint = f"write `{lower}`" if _REPOSITORY.fullmatch(lower) else None
        raise _wrong(text, f"`{repository}` is no name of a repository", hint=hint)
    if tag is not None and not _TAG.fullmatch(tag):
        raise _wrong(text, f"`{tag}` is no tag")
    if digest:
        try:
            hex_of(digest)
        except ValueError as error:
            raise _wrong(text, str(error)) from None


def _wrong(text: str, reason: str, *, hint: str | None = None) -> UsageError:
    example = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:1.0"
    return UsageError(f"`{text}`: {reason}", hint=hint or f"such as {example}")
