"""Who owns the files of an artifact that lpack did not make."""

from typing import Literal, NamedTuple

from packager.model.found import FoundFile

Evidence = Literal["dist-info", "egg-info", "guess"]
"""By what a distribution was recognized: its own metadata, or only the names of its files."""


class OwnedDistribution(NamedTuple):
    """One distribution in an artifact.

    `version` is empty when nothing states it. `root` is the folder it is installed in, with a
    slash at its end, or empty. `requires` are its Requires-Dist lines, `extras` what it provides,
    `tags` those of its WHEEL. `asked_for` when an installer noted that somebody named it.
    `missing` are files that its RECORD lists and the artifact lacks.
    """

    name: str
    version: str
    evidence: Evidence
    root: str
    info: str
    requires: tuple[str, ...]
    extras: tuple[str, ...]
    tags: tuple[str, ...]
    asked_for: bool
    missing: tuple[str, ...]
    files: tuple[FoundFile, ...]


class Ownership(NamedTuple):
    """All distributions, ordered by name, and the files nobody claims: the user's own code."""

    distributions: tuple[OwnedDistribution, ...]
    code: tuple[FoundFile, ...]
