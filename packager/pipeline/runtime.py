"""What the runtime itself has, as a folder to run artifacts beside: locked, fetched, installed.

The packages are locked once for each runtime and set of indexes, with their digests; afterwards
neither a resolver nor the network is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from packager.errors import CannotBuild
from packager.lock.lockfile import parse_lock, render_lock
from packager.lock.locking import Locked, LockOptions, lock
from packager.model.progress import Reporter
from packager.model.requirement import Declared, IndexSettings, RequirementSet
from packager.model.target import Target
from packager.pipeline.memory import Losses, key_of
from packager.pipeline.sdists import fetch_sdist
from packager.runtime.catalog import load_catalog, read_captured_catalog
from packager.verify.interpreter import Interpreter
from packager.verify.runtime_folder import install_runtime, runtime_requirements
from packager.wheels.download import fetch
from packager.wheels.store import EntryLostError, Store
from packager.wheels.store_keeping import folder_digest


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxOptions:
    """How to run an artifact.

    `requested` and `declared` say which indexes hold, as for a build. `catalog` is a captured
    catalog. `variables` are the function's environment variables. `emulator` is `auto`, `aws`
    or `none`. `timeout_seconds` is for an invocation as a whole, init included.
    """

    requested: IndexSettings = field(default_factory=IndexSettings)
    declared: IndexSettings = field(default_factory=IndexSettings)
    catalog: Path | None = None
    offline: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    emulator: str = "auto"
    timeout_seconds: float = 30.0


def runtime_folder(
    manifest: Mapping[str, Any],
    target: Target,
    interpreter: Interpreter,
    *,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
) -> Path:
    """Return the folder with the runtime's packages, made when it is not there.

    Raises CannotBuild when they cannot be had.
    """
    catalog = (
        read_captured_catalog(options.catalog, target.runtime, architecture=target.architecture)
        if options.catalog is not None
        else load_catalog(target.runtime)
    )
    bundled = {
        canonicalize_name(each["name"])
        for each in manifest.get("distributions", ())
        if each["placement"] is not None
    }
    wanted = runtime_requirements(catalog, bundled=bundled)
    locked = _locked(wanted, target, store, options, reporter)
    pins = locked.selection.pins
    digests = sorted(pin.wheel.sha256 for pin in pins)
    key = key_of("runtime", target.runtime, interpreter.version, digests)
    folder = store.file("sandbox", key, "")
    made = not folder.is_dir()
    if made:
        wheels = _proven_wheels(locked, store, options, reporter)
        install_runtime(wheels, folder, interpreter=interpreter, aside=store.aside())
        reporter.step(f"installed {len(pins)} distributions that {target.runtime} has itself")
    if made or store.read_document("sandbox", key) is None:
        # By this `lpack cache verify` knows what is in it: too much to be read at every start.
        store.write_document("sandbox", key, {"folder_sha256": folder_digest(folder)})
    return folder


def _proven_wheels(
    locked: Locked, store: Store, options: SandboxOptions, reporter: Reporter
) -> list[Path]:
    """Return the runtime's packages, each hashed; what the disk altered is fetched once more."""
    wheels = [pin.wheel for pin in locked.selection.pins]
    losses = Losses(store)
    while True:
        settings = locked.indexes
        fetch(wheels, store, settings=settings, reporter=reporter, offline=options.offline)
        try:
            return [store.proven_wheel(wheel.sha256) for wheel in wheels]
        except EntryLostError as lost:
            losses.note(lost.what, altered=lost.altered)


def _locked(
    wanted: tuple[Requirement, ...],
    target: Target,
    store: Store,
    options: SandboxOptions,
    reporter: Reporter,
) -> Locked:
    """Lock what the runtime has for the target, or as remembered."""
    texts = [str(requirement) for requirement in wanted]
    indexes = [options.requested, options.declared]
    places = [[i.index_url, *i.extra_index_urls, *i.find_links] for i in indexes]
    key = key_of("runtime-lock", target.runtime, target.architecture, texts, places)
    known = store.read_document("locks", key)
    origin = f"what {target.runtime} has itself"
    try:
        locked = lock(
            RequirementSet(
                declared=tuple(Declared(requirement=each, origin=origin) for each in wanted),
                indexes=options.declared,
            ),
            target,
            options=LockOptions(
                indexes=options.requested,
                build_folder=store.root / "built",
                fetch_sdist=fetch_sdist,
                offline=options.offline,
            ),
            reporter=reporter,
            remembered=parse_lock(known["text"], origin="the remembered lock") if known else None,
        )
    except CannotBuild as error:
        raise CannotBuild(
            f"the packages that {target.runtime} has itself cannot be had: {error.message}",
            hint=error.hint,
            details=error.details,
        ) from error
    if known is None:
        text = render_lock(locked.pylock)
        store.write_document("locks", key, {"text": text, "resolver": locked.selection.resolver})
    return locked
