"""What an artifact begins with: the payloads, as an earlier build spliced and verified them.

Payloads come first in every artifact and the user's code last, so that after a change of the code
everything up to it is the same bytes. One digest of these bytes then proves what the digests of
all payloads prove, and the same pass over them goes on to the digest of the whole artifact.
"""

from typing import Any, NamedTuple, Self


class Owned(NamedTuple):
    """What one owner has in the prefix; `directory_bytes` is its part of the directory."""

    owner: str
    entries: int
    directory_bytes: int
    compressed_bytes: int
    uncompressed_bytes: int


class Range(NamedTuple):
    """Bytes of the payload at the place `payload` in the list that the build was given."""

    payload: int
    offset: int
    length_bytes: int


class Prefix(NamedTuple):
    """The first `body_bytes` of an artifact, their digest and how they are put together.

    `sha256` is lower-case hex. `directory` holds the central records of all files in it, at
    their offsets in the artifact; `names` the same files' names, ended by line feeds, which no
    admitted name has.
    """

    sha256: str
    body_bytes: int
    ranges: tuple[Range, ...]
    owned: tuple[Owned, ...]
    directory: bytes
    names: bytes

    @property
    def entries(self) -> int:
        """The number of files."""
        return sum(each.entries for each in self.owned)

    def to_document(self) -> dict[str, Any]:
        """Return JSON-ready values of everything but `directory` and `names`."""
        return {
            "sha256": self.sha256,
            "body_bytes": self.body_bytes,
            "ranges": [list(each) for each in self.ranges],
            "owned": [list(each) for each in self.owned],
        }

    @classmethod
    def from_document(cls, document: dict[str, Any], *, directory: bytes, names: bytes) -> Self:
        """Rebuild from `to_document`; raises KeyError or TypeError for a foreign document."""
        return cls(
            sha256=document["sha256"],
            body_bytes=document["body_bytes"],
            ranges=tuple(Range(*each) for each in document["ranges"]),
            owned=tuple(Owned(*each) for each in document["owned"]),
            directory=directory,
            names=names,
        )
