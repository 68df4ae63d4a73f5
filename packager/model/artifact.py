"""Written artifacts and what they hold."""

from base64 import b64encode
from typing import NamedTuple

from packager.model.canonical import Record


class Contents(NamedTuple):
    """The files one owner has in an artifact, in their order there.

    `owner` is `NAME VERSION` of a distribution, or empty for the user's own code.
    """

    owner: str
    records: tuple[Record, ...]

    @property
    def compressed_bytes(self) -> int:
        """All bytes these files add to the artifact, headers included."""
        return sum(record.contribution_bytes for record in self.records)

    @property
    def uncompressed_bytes(self) -> int:
        """The sum of the files as Lambda counts it."""
        return sum(record.uncompressed_bytes for record in self.records)


class ZipArtifact(NamedTuple):
    """A zip on disk; `sha256` is lower-case hex of its bytes, taken while writing."""

    path: str
    sha256: str
    compressed_bytes: int
    uncompressed_bytes: int
    stamp: int
    contents: tuple[Contents, ...]

    @property
    def entries(self) -> int:
        """The number of files."""
        return sum(len(contents.records) for contents in self.contents)

    @property
    def code_sha256(self) -> str:
        """What Lambda answers as CodeSha256: base64 of the digest."""
        return b64encode(bytes.fromhex(self.sha256)).decode()
