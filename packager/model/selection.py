"""What a lock selects for one target."""

from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelReference:
    """A wheel file that a lock names: where it is and which bytes it must have.

    Exactly one of `url` and `path` is set. `sha256` is lower-case hex. `size_bytes` is binding
    when the lock gives it. `url` may hold credentials.
    """

    filename: str
    sha256: str
    url: str | None = None
    path: Path | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One distribution chosen for the target."""

    name: NormalizedName
    version: Version
    wheel: WheelReference


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The pins for one target, ordered by name, and who resolved them (`uv 0.13.9`)."""

    pins: tuple[Pin, ...]
    resolver: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """`parent` requires `requirement`; `parent` is None for what the project declares.

    `origin` says where it is written: `requirements.txt:3`, or `boto3 1.44.5`.
    """

    parent: NormalizedName | None
    requirement: Requirement
    origin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """Who requires whom under the target's markers and the extras in use.

    `edges` are ordered by parent and name, and come from the wheels' METADATA, never from a
    lock. `versions` maps every selected name to its version.
    """

    versions: dict[NormalizedName, Version]
    edges: tuple[Edge, ...]


MetadataByName = dict[NormalizedName, Metadata]
