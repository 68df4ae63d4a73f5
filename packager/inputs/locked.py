"""What the locks of uv, Poetry and Pipenv have in common, as values."""

from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from packager.errors import UsageError
from packager.model.requirement import Declared, LocalProject


class LockedPackage(NamedTuple):
    """One entry of a lock that an index or a URL provides.

    `marker` tells for which environments, where the lock holds several versions of a name.
    `sha256` are hex digests of all its files; empty when the lock has none. `url` is set for
    direct references.
    """

    name: NormalizedName
    version: Version
    marker: str | None
    sha256: frozenset[str]
    url: str | None = None

    def constraint(self, origin: str) -> Declared:
        """Give the entry as a constraint; raises UsageError when the lock holds nonsense."""
        marker = f" ; {self.marker}" if self.marker else ""
        target = f" @ {self.url}" if self.url else f"=={self.version}"
        text = f"{self.name}{target}{marker}"
        try:
            return Declared(requirement=Requirement(text), origin=origin)
        except InvalidRequirement as error:
            raise UsageError(f"`{origin}`: `{text}` is not a requirement") from error


class LockContents(NamedTuple):
    """A lock, read: `named` are the names it knows to be asked for under some condition."""

    packages: tuple[LockedPackage, ...]
    local_projects: tuple[LocalProject, ...]
    find_links: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()


def digests(hashes: object) -> frozenset[str]:
    """Keep the sha256 digests among `ALGORITHM:HEX` texts."""
    if not isinstance(hashes, list):
        return frozenset()
    return frozenset(
        text.partition(":")[2].lower()
        for text in hashes
        if isinstance(text, str) and text.startswith("sha256:")
    )


def joined_markers(markers: list[str]) -> str | None:
    """Join markers with `or`; None when there are none."""
    if len(markers) < 2:
        return markers[0] if markers else None
    return " or ".join(f"({marker})" for marker in markers)


def from_git(name: str, lock: str) -> UsageError:
    """Word the refusal of a distribution that comes from version control."""
    return UsageError(
        f"`{lock}`: `{name}` comes from a version control system, whose files no hash can name",
        hint="build a wheel of it (`pip wheel --no-deps URL -w wheels`) and name that file",
    )
