"""From requirements and a target to a lock and the files it chooses: what the pipeline calls."""

import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from packager.errors import UsageError
from packager.lock.backend import LockJob, Resolver, choose_backend
from packager.lock.build_requirements import BuildRules
from packager.lock.hashes import HashRules
from packager.lock.indexes import effective_indexes, read_pip_configuration, with_credentials
from packager.lock.locked_files import locked_files
from packager.lock.lockfile import lock_of, read_lock
from packager.lock.select import Choice, Sources, choose
from packager.model.attestation import LockedFile
from packager.model.progress import Reporter
from packager.model.requirement import Declared, IndexSettings, RequirementSet
from packager.model.selection import Pin, Selection
from packager.model.target import Target

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from packager.lock.source_builds import BuiltProject, SdistFetcher


@dataclass(frozen=True, kw_only=True, slots=True)
class LockOptions:
    """How to lock.

    `indexes` is what the configuration and the command line ask for (`requested_indexes`).
    `build_folder` receives the wheels built from local projects and allowed source
    distributions, and must live as long as the selection is used; it is created when needed.
    With `frozen`, no resolver is run; with `offline`, nothing touches the network.
    `exclude_newer` (RFC 3339, UTC) hides what the index got later. `approve` is called with the
    chosen files before any of them is fetched or built, and raises to refuse them.
    """

    indexes: IndexSettings
    build_folder: Path
    fetch_sdist: "SdistFetcher"
    resolver: Resolver = "auto"
    allow_sdist: Collection[str] = ()
    frozen: bool = False
    offline: bool = False
    exclude_newer: str | None = None
    approve: Callable[[Sequence[LockedFile], IndexSettings], None] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """What locking gave.

    `declared` are the roots for the closure check: what the requirements declare, plus the
    local projects under the names that their builds revealed. `indexes` are the effective
    settings, which the download needs too.
    """

    pylock: "Pylock"
    selection: Selection
    declared: tuple[Declared, ...]
    indexes: IndexSettings


def lock(
    requirements: RequirementSet,
    target: Target,
    *,
    options: LockOptions,
    reporter: Reporter,
    remembered: "Pylock | None" = None,
) -> Locked:
    """Lock `requirements` for `target` and choose a file for every distribution.

    A `pylock.toml` among the requirements, or else `remembered`, decides and no resolver runs.
    Raise UsageError when `frozen` forbids the resolver that is needed, CannotBuild when there
    is no solution, no fitting file, or a hash differs.
    """
    return _Locking(requirements, target, options, reporter).run(remembered)


class _Locking:
    """One run of `lock`: what every step of it needs."""

    def __init__(
        self,
        requirements: RequirementSet,
        target: Target,
        options: LockOptions,
        reporter: Reporter,
    ) -> None:
        """Work out which indexes hold."""
        self.requirements = requirements
        self.target = target
        self.options = options
        self.reporter = reporter
        self.allowed = frozenset(canonicalize_name(name) for name in options.allow_sdist)
        self.indexes = effective_indexes(
            options.indexes,
            declared=requirements.indexes,
            environment=environ,
            configured=read_pip_configuration(),
        )

    def run(self, remembered: "Pylock | None") -> Locked:
        """Take the lock that exists, or resolve; then choose the files."""
        given = self.requirements.lock
        existing = read_lock(given) if given is not None else remembered
        if existing is None and self.options.frozen:
            raise UsageError(
                "--frozen needs a lock, and there is no `pylock.toml` and no earlier build",
                hint="build once without --frozen, or add a pylock.toml to the requirements",
            )
        projects = self._projects()
        pylock = existing if existing is not None else self._resolve(projects)
        resolver = f"{given.name} ({pylock.created_by})" if given is not None else pylock.created_by
        sources = Sources(
            base=given.parent if given is not None else None,
            local={project.name: project.wheel for project in projects},
            allow_sdist=self.allowed,
        )
        rules = HashRules(
            accepted=self.requirements.hashes,
            required=self.requirements.require_hashes,
            own=frozenset(sources.local),
        )
        choice = choose(pylock, self.target, hashes=rules, sources=sources)
        if self.options.approve is not None:
            files = locked_files(pylock, choice, own=sources.local, indexes=self.indexes)
            self.options.approve(files, self.indexes)
        return Locked(
            pylock=pylock,
            selection=Selection(pins=self._pins(choice), resolver=resolver),
            declared=(*self.requirements.declared, *(project.declared for project in projects)),
            indexes=self.indexes,
        )

    def _rules(self) -> BuildRules:
        return BuildRules(indexes=self.indexes, offline=self.options.offline, named=self.allowed)

    def _projects(self) -> "tuple[BuiltProject, ...]":
        """Build the local projects that the target's markers want."""
        if not self.requirements.local_projects:
            return ()
        from packager.lock.source_builds import (  # noqa: PLC0415 -- loaded only when something is built
            build_projects,
        )

        return build_projects(
            self.requirements.local_projects,
            self.target,
            folder=self.options.build_folder,
            rules=self._rules(),
            reporter=self.reporter,
        )

    def _resolve(self, projects: "tuple[BuiltProject, ...]") -> "Pylock":
        wanted = self.requirements
        if not wanted.declared and not projects:
            return lock_of([], created_by="lpack")
        backend = choose_backend(self.options.resolver)
        described = backend.describe()
        with tempfile.TemporaryDirectory(prefix="lpack-lock-") as folder:
            job = LockJob(
                requirements=wanted,
                target=self.target,
                indexes=self.indexes,
                workdir=Path(folder).resolve(),
                local={project.name: project.wheel for project in projects},
                local_extras={project.name: project.extras for project in projects},
                allow_sdist=self.allowed,
                offline=self.options.offline,
                exclude_newer=self.options.exclude_newer,
            )
            pylock = backend.lock(job, self.reporter)
        # uv writes `uv` without a version; the manifest should tell which one it was.
        return replace(pylock, created_by=described) if pylock.created_by == "uv" else pylock

    def _pins(self, choice: Choice) -> tuple[Pin, ...]:
        """Build what was allowed as source, and give the URLs their credentials back."""
        built: tuple[Pin, ...] = ()
        if choice.sdists:
            from packager.lock.source_builds import (  # noqa: PLC0415 -- loaded only when something is built
                build_sdists,
            )

            built = build_sdists(
                [
                    replace(sdist, url=with_credentials(sdist.url, self.indexes))
                    if sdist.url
                    else sdist
                    for sdist in choice.sdists
                ],
                self.target,
                folder=self.options.build_folder,
                rules=self._rules(),
                reporter=self.reporter,
                fetch=self.options.fetch_sdist,
            )
        pins = [*map(self._with_credentials, choice.pins), *built]
        return tuple(sorted(pins, key=lambda pin: pin.name))

    def _with_credentials(self, pin: Pin) -> Pin:
        url = pin.wheel.url
        if url is None:
            return pin
        return replace(pin, wheel=replace(pin.wheel, url=with_credentials(url, self.indexes)))
