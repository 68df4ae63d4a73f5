"""What the project asks for, before anything is resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """One requirement as somebody wrote it, and where: `requirements.txt:3`.

    `requirement` is PEP 508. What counts for the subtraction is this text, not what a lock
    happened to pin.
    """

    requirement: Requirement
    origin: str

    @property
    def name(self) -> NormalizedName:
        """The normalized project name."""
        return canonicalize_name(self.requirement.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalProject:
    """A folder with a project of the user's own that ships as a distribution.

    `path` is absolute. `extras` are the extras asked of it.
    """

    path: Path
    origin: str
    extras: tuple[str, ...] = ()
    marker: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSettings:
    """Where distributions come from.

    URLs may hold credentials: they are for requests only and must never reach a log, a lock, a
    manifest or an error; `packager.model.redaction` takes them out. `None` as `index_url`
    means the default index of the locking backend. `strategy` is `first-index` (a name is only
    looked for on the first index that has it, against dependency confusion) or
    `unsafe-best-match` (all indexes are merged, as pip does).
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    strategy: str = "first-index"
    certificate: str | None = None
    proxy: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementSet:
    """Everything the inputs say about dependencies, as values.

    `lock` is an existing PEP 751 file, which then decides the pins. `constraints` narrow
    versions and ask for nothing; the pins of `uv.lock`, `poetry.lock` and `Pipfile.lock` arrive
    here. `hashes` maps (normalized name, version) to the accepted sha256 digests in hex; when
    `require_hashes` is set, every selected file must be listed. `roots_known` is False when only
    a lock was found, so that nobody knows what was asked for. `files` are all files that were
    read, absolute, for change detection.
    """

    declared: tuple[Declared, ...] = ()
    constraints: tuple[Declared, ...] = ()
    local_projects: tuple[LocalProject, ...] = ()
    hashes: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    require_hashes: bool = False
    lock: Path | None = None
    roots_known: bool = True
    indexes: IndexSettings = field(default_factory=IndexSettings)
    prereleases: bool = False
    files: tuple[Path, ...] = ()
    title: str = ""
