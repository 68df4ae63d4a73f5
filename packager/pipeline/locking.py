"""The resolver is asked once: what it chose is remembered until somebody wants newer."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packager.inputs.durations import find_moment
from packager.lock.indexes import requested_indexes
from packager.lock.lockfile import parse_lock, render_lock, write_lock
from packager.lock.locking import Locked, LockOptions, lock
from packager.model.build import BuildOptions
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.requirement import RequirementSet
from packager.model.target import Target
from packager.pipeline.memory import lasting_key_of
from packager.pipeline.requirements import content_of
from packager.pipeline.sdists import fetch_sdist
from packager.wheels.store import Store

if TYPE_CHECKING:
    # It loads what few functions ask for.
    from packager.pipeline.attestations import Attesting


def lock_requirements(
    function: Function,
    requirements: RequirementSet,
    target: Target,
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
    attesting: "Attesting | None" = None,
) -> Locked:
    """Lock anew, or as remembered: the same requirements keep their versions until --upgrade.

    What the chosen files attest is verified before anything is fetched or built, and noted in the
    lock that is returned, but not in the one that is remembered.
    """
    key = lasting_key_of("lock", 1, _lock_settings(function), content_of(requirements))
    known = None if options.upgrade else store.read_document("locks", key)
    locked = lock(
        requirements,
        target,
        options=LockOptions(
            indexes=requested_indexes(function),
            build_folder=store.root / "built",
            fetch_sdist=fetch_sdist,
            resolver=function.resolver,
            allow_sdist=function.allow_sdist,
            frozen=options.frozen,
            offline=options.offline,
            exclude_newer=find_moment(function.exclude_newer) if function.exclude_newer else None,
            approve=attesting.approve if attesting is not None else None,
        ),
        reporter=reporter,
        remembered=parse_lock(known["text"], origin="the remembered lock") if known else None,
    )
    if requirements.lock is None and known is None:
        text = render_lock(locked.pylock)
        store.write_document("locks", key, {"text": text, "resolver": locked.selection.resolver})
    if attesting is not None:
        locked = replace(locked, pylock=attesting.noted_in(locked.pylock))
    if options.write_lock:
        path = function.root / "pylock.toml"
        write_lock(locked.pylock, path)
        reporter.step(f"wrote {path.name}")
    _tell(locked, target, resolver=known["resolver"] if known else "", reporter=reporter)
    return locked


def _tell(locked: Locked, target: Target, *, resolver: str, reporter: Reporter) -> None:
    """Tell how much is locked; `resolver` is who did that before, empty when it was done now."""
    count = len(locked.selection.pins)
    many = "1 distribution" if count == 1 else f"{count} distributions"
    if resolver:
        reporter.step(f"{many} as locked before ({resolver}); --upgrade looks for newer")
    else:
        reporter.step(f"locked {many} for {target.label} ({locked.selection.resolver})")


def _lock_settings(function: Function) -> list[Any]:
    newest = [function.exclude_newer] if function.exclude_newer else []
    indexes = [function.index_url, *function.extra_index_urls, function.index_strategy]
    return [*newest, function.runtime, function.architecture, function.resolver,
            *function.allow_sdist, *indexes]  # fmt: skip
