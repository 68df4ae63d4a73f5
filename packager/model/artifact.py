"""Written artifacts and what they hold."""

from binascii import b2a_base64
from collections.abc import Sequence
from typing import NamedTuple, Self

from packager.model.canonical import Record, read_directory
from packager.model.prefix import Prefix


class Figures(NamedTuple):
    """How many files there are, and their bytes as `Contents` counts them."""

    entries: int
    compressed_bytes: int
    uncompressed_bytes: int

    @classmethod
    def of(cls, records: Sequence[Record]) -> Self:
        """Count `records`."""
        return cls(
            len(records),
            sum([record.contribution_bytes for record in records]),
            sum([record.uncompressed_bytes for record in records]),
        )


class Contents:
    """The files one owner has in an artifact, in their order there.

    `owner` is `NAME VERSION` of a distribution, or empty for the user's own code. Known either
    by its records, or by its part of a central directory, which is only read when somebody asks
    for the records: after a change of the user's code nobody does.
    """

    __slots__ = ("_directory", "_records", "figures", "owner")

    def __init__(
        self,
        *,
        owner: str,
        records: tuple[Record, ...] | None = None,
        directory: bytes = b"",
        figures: Figures | None = None,
    ) -> None:
        """Take `records`, or a `directory` with the `figures` of what stands in it."""
        self.owner = owner
        self._records = records
        self._directory = directory
        self.figures = figures or Figures.of(records or ())

    @property
    def records(self) -> tuple[Record, ...]:
        """One record for each file; raises NotCanonicalError for a damaged directory."""
        if self._records is None:
            entries = self.figures.entries
            found = read_directory(self._directory, entries=entries)
            self._records = tuple(record for record, _ in found)
        return self._records

    @property
    def entries(self) -> int:
        """The number of files."""
        return self.figures.entries

    @property
    def compressed_bytes(self) -> int:
        """All bytes these files add to the artifact, headers included."""
        return self.figures.compressed_bytes

    @property
    def uncompressed_bytes(self) -> int:
        """The sum of the files as Lambda counts it."""
        return self.figures.uncompressed_bytes

    def __eq__(self, other: object) -> bool:
        """Compare owners and files."""
        if not isinstance(other, Contents):
            return NotImplemented
        return (self.owner, self.records) == (other.owner, other.records)

    __hash__ = None  # type: ignore[assignment]  # records may be read late: no key of anything

    def __repr__(self) -> str:
        """Show whose files these are and how many."""
        return f"Contents({self.owner!r}, {self.entries} files)"


class ZipArtifact(NamedTuple):
    """A zip on disk; `sha256` is lower-case hex of its bytes.

    `prefix` is the part of it that no change of the user's code touches, when it can be copied
    as it is by the next build.
    """

    path: str
    sha256: str
    compressed_bytes: int
    uncompressed_bytes: int
    stamp: int
    contents: tuple[Contents, ...]
    prefix: Prefix | None = None

    @property
    def entries(self) -> int:
        """The number of files."""
        return sum(contents.entries for contents in self.contents)

    @property
    def code_sha256(self) -> str:
        """What Lambda answers as CodeSha256: base64 of the digest."""
        return b2a_base64(bytes.fromhex(self.sha256), newline=False).decode()
