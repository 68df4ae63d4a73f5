"""What changed between two artifacts, and why."""

from typing import Literal, NamedTuple

ChangeKind = Literal["added", "removed", "changed", "resized", "bundled", "left-out"]
"""`bundled`: was left to the runtime or a layer, ships now; `left-out` the other way round."""


class Step(NamedTuple):
    """One edge on the way from the project to a distribution.

    `name` `version` is what is required, `requirement` how. `was` is the old text of the edge,
    None when there was no such edge. For the first step, `origin` is where the project says it:
    `requirements.txt:3`. `old_version` is None for what is new.
    """

    name: str
    version: str
    requirement: str
    origin: str
    was: str | None
    old_version: str | None

    @property
    def is_new(self) -> bool:
        """Whether nobody asked like this before."""
        return self.was != self.requirement


class DistributionChange(NamedTuple):
    """How one distribution changed; bytes are what it adds to the artifact, 0 when it is not in it.

    `chain` leads from the project to it; for what left, as it was. `reason` is a sentence for a
    change that no requirement explains.
    """

    name: str
    kind: ChangeKind
    old_version: str | None
    new_version: str | None
    old_compressed_bytes: int
    new_compressed_bytes: int
    old_uncompressed_bytes: int
    new_uncompressed_bytes: int
    chain: tuple[Step, ...]
    reason: str = ""

    @property
    def compressed_delta(self) -> int:
        """By how many zipped bytes the artifact grew through it."""
        return self.new_compressed_bytes - self.old_compressed_bytes

    @property
    def uncompressed_delta(self) -> int:
        """By how many unzipped bytes the artifact grew through it."""
        return self.new_uncompressed_bytes - self.old_uncompressed_bytes


class FileChange(NamedTuple):
    """How one file changed; `owner` is the distribution's name, empty for the user's code.

    Bytes are those of the file and of its stream, 0 where there is none.
    """

    path: str
    owner: str
    kind: Literal["added", "removed", "changed"]
    old_compressed_bytes: int
    new_compressed_bytes: int
    old_uncompressed_bytes: int
    new_uncompressed_bytes: int

    @property
    def compressed_delta(self) -> int:
        """By how many bytes its stream grew."""
        return self.new_compressed_bytes - self.old_compressed_bytes

    @property
    def uncompressed_delta(self) -> int:
        """By how many bytes it grew."""
        return self.new_uncompressed_bytes - self.old_uncompressed_bytes


class Side(NamedTuple):
    """One of the two artifacts: its name for people, and what it measures."""

    label: str
    function: str
    target: str
    lpack: str
    entries: int
    compressed_bytes: int
    uncompressed_bytes: int


class Difference(NamedTuple):
    """Two artifacts held against each other; the largest growth comes first."""

    old: Side
    new: Side
    distributions: tuple[DistributionChange, ...]
    code_compressed_delta: int
    code_uncompressed_delta: int
    files: tuple[FileChange, ...]

    @property
    def compressed_delta(self) -> int:
        """By how many bytes the artifact grew."""
        return self.new.compressed_bytes - self.old.compressed_bytes

    @property
    def uncompressed_delta(self) -> int:
        """By how many unzipped bytes the artifact grew."""
        return self.new.uncompressed_bytes - self.old.uncompressed_bytes

    @property
    def grown(self) -> tuple[DistributionChange, ...]:
        """The distributions through which the artifact grew, the most first."""
        return tuple(
            change
            for change in self.distributions
            if change.compressed_delta > 0 or change.uncompressed_delta > 0
        )
