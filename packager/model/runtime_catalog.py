"""What a Lambda runtime provides, and what subtracting it decided."""

from dataclasses import dataclass
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

Policy = Literal["compatible", "always", "never"]
POLICIES: tuple[Policy, ...] = ("compatible", "always", "never")


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimePackage:
    """A distribution that AWS ships in a runtime, or that a layer on it has.

    `version` is the lowest version known on `date`: versions only move forward. None means that
    the distribution is known to be there but its version is not. `requires` are its own
    requirements, as its METADATA at that version states them. `group` names the packages that
    AWS moves together. `subtractable` is False for tools that only some images hold. `layer`
    names the layer that has it, and is empty for what AWS ships.
    """

    name: NormalizedName
    version: Version | None
    group: str
    date: str
    source: str
    requires: tuple[Requirement, ...] = ()
    subtractable: bool = True
    layer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeCatalog:
    """Everything a runtime provides; `captured` when it was read from the user's account."""

    runtime: str
    packages: dict[NormalizedName, RuntimePackage]
    date: str
    source: str
    complete: bool
    captured: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What became of one selected distribution that the runtime also provides.

    `outcome` is `subtracted` or `kept`. `code` is stable: `satisfied`, `forced` (policy
    `always`), `policy` (policy `never`), `requirement` (somebody's requirement fails),
    `version-unknown`, `group` (a member it depends on, or that depends on it, is kept).
    `reason` is one sentence. `blocked_by` names the requirement that failed with its origin.
    `loosen` is what to change so that it can be subtracted, in a form one can paste, and
    `loosen_frees` are the names that would then leave with it. `layer` names the layer that
    provides it instead of the runtime itself.
    """

    name: NormalizedName
    version: Version
    runtime_version: Version | None
    outcome: Literal["subtracted", "kept"]
    code: str
    reason: str
    blocked_by: str | None = None
    loosen: str | None = None
    loosen_frees: tuple[NormalizedName, ...] = ()
    layer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """A bundled distribution that shadows what the runtime's own packages need.

    `layer` names the layer that has it, when it is not bundled.
    """

    name: NormalizedName
    bundled: Version
    needed_by: str
    requirement: str
    advice: str
    layer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subtraction:
    """The greatest set that may be left out, with a decision for every candidate."""

    decisions: tuple[Decision, ...]
    conflicts: tuple[Conflict, ...]
    catalog_date: str
    catalog_source: str

    @property
    def subtracted(self) -> frozenset[NormalizedName]:
        """Names that do not ship."""
        return frozenset(d.name for d in self.decisions if d.outcome == "subtracted")
