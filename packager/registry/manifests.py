"""Manifests and indexes as values, wherever they came from. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from packager.errors import LpackError
from packager.model.image import MACHINE_WORDS, Descriptor, hex_of
from packager.parsing import parse_json


class Resolved(NamedTuple):
    """A manifest of one architecture; `index_digest` is of the index it was chosen from."""

    digest: str
    media_type: str
    content: bytes
    index_digest: str | None = None

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The parsed manifest."""
        parsed: Mapping[str, Any] = parse_json(self.content)
        return parsed


def descriptor_of(document: Mapping[str, Any]) -> Descriptor:
    """Read a descriptor; raises KeyError, TypeError or ValueError for something else."""
    digest = str(document["digest"])
    hex_of(digest)
    length = int(document["size"])
    if length < 0:
        raise ValueError("a descriptor has a negative length")
    return Descriptor(str(document["mediaType"]), digest, length)


def choose(
    index: Mapping[str, Any], architecture: str, *, refuse: Callable[..., LpackError]
) -> str:
    """Return the digest of the manifest for Linux on `architecture`; attestations do not count."""
    wanted = MACHINE_WORDS[architecture]
    there: list[str] = []
    for entry in index.get("manifests", ()):
        platform = entry.get("platform") or {}
        words = (platform.get("os"), platform.get("architecture"))
        if words == ("linux", wanted):
            digest = str(entry["digest"])
            hex_of(digest)
            return digest
        if words[0] not in {None, "unknown"}:
            there.append("/".join(str(word) for word in words))
    listed = ", ".join(dict.fromkeys(there)) or "none"
    raise refuse(
        f"there is no image for linux/{wanted}, only for {listed}",
        hint=f"set the base's tag for {architecture}, or build for another --arch",
    )
