"""What a locking backend is, and which one is used."""

import os
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from packaging.utils import NormalizedName

from packager.errors import UsageError
from packager.model.progress import Reporter
from packager.model.requirement import IndexSettings, RequirementSet
from packager.model.selection import WheelReference
from packager.model.target import Target

if TYPE_CHECKING:
    from packaging.pylock import Pylock

Resolver = Literal["auto", "uv", "pip"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LockJob:
    """Everything a backend needs to lock for one target.

    `indexes` are the effective settings. `workdir` is an empty folder of its own, which only
    this user can read, because the index URLs in it may hold credentials. `local` maps the
    names of the user's own projects to their wheels. `allow_sdist` holds normalized names. With
    `offline`, the backend must not use the network; `exclude_newer` (RFC 3339, UTC) hides
    files that the index got later.
    """

    requirements: RequirementSet
    target: Target
    indexes: IndexSettings
    workdir: Path
    local: Mapping[NormalizedName, WheelReference] = field(default_factory=dict)
    local_extras: Mapping[NormalizedName, tuple[str, ...]] = field(default_factory=dict)
    allow_sdist: Collection[str] = ()
    offline: bool = False
    exclude_newer: str | None = None


class LockBackend(Protocol):
    """Turns requirements into a PEP 751 lock for a target that is not this machine."""

    def describe(self) -> str:
        """Name the resolver and its version: `uv 0.13.9`."""

    def lock(self, job: LockJob, reporter: Reporter) -> "Pylock":
        """Resolve `job`; raise CannotBuild with the resolver's reasons when that fails."""


def choose_backend(resolver: Resolver) -> LockBackend:
    """Give the backend asked for; `auto` is uv where it is installed, otherwise pip.

    Raise UsageError when uv is asked for and not there.
    """
    from packager.lock.pip_backend import PipBackend  # noqa: PLC0415 -- only one of the two runs
    from packager.lock.uv_backend import UvBackend  # noqa: PLC0415 -- only one of the two runs

    uv = None if resolver == "pip" else find_uv()
    if uv is not None:
        return UvBackend(uv)
    if resolver == "uv":
        raise UsageError(
            "the resolver `uv` is not installed",
            hint="pip install uv, or use --resolver pip",
        )
    return PipBackend()


def find_uv() -> str | None:
    """Find uv: `UV` names it, or it is beside this interpreter, or on PATH."""
    named = os.environ.get("UV")
    if named and os.access(named, os.X_OK):
        return named
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    return beside or shutil.which("uv")
