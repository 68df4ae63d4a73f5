"""The resolver is asked once: what it chose is remembered until somebody wants newer."""

from typing import Any

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
from packager.wheels.store import Store


def lock_requirements(
    function: Function,
    requirements: RequirementSet,
    target: Target,
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
) -> Locked:
    """Lock anew, or as remembered: the same requirements keep their versions until --upgrade."""
    key = lasting_key_of("lock", 1, _lock_settings(function), content_of(requirements))
    known = None if options.upgrade else store.read_document("locks", key)
    locked = lock(
        requirements,
        target,
        options=LockOptions(
            indexes=requested_indexes(function),
            build_folder=store.root / "built",
            resolver=function.resolver,
            allow_sdist=function.allow_sdist,
            frozen=options.frozen,
            offline=options.offline,
            exclude_newer=find_moment(function.exclude_newer) if function.exclude_newer else None,
        ),
        reporter=reporter,
        remembered=parse_lock(known["text"], origin="the remembered lock") if known else None,
    )
    if requirements.lock is None and known is None:
        text = render_lock(locked.pylock)
        store.write_document("locks", key, {"text": text, "resolver": locked.selection.resolver})
    if options.write_lock:
        path = function.root / "pylock.toml"
        write_lock(locked.pylock, path)
        reporter.step(f"wrote {path.name}")
    count = len(locked.selection.pins)
    many = "1 distribution" if count == 1 else f"{count} distributions"
    if known:
        reporter.step(f"{many} as locked before ({known['resolver']}); --upgrade looks for newer")
    else:
        reporter.step(f"locked {many} for {target.label} ({locked.selection.resolver})")
    return locked


def _lock_settings(function: Function) -> list[Any]:
    newest = [function.exclude_newer] if function.exclude_newer else []
    indexes = [function.index_url, *function.extra_index_urls, function.index_strategy]
    return [*newest, function.runtime, function.architecture, function.resolver,
            *function.allow_sdist, *indexes]  # fmt: skip
