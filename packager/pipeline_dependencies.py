"""The first half of the pipeline: from requirements to payloads in the store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from packager.code_identity import code_identity
from packager.inputs.requirements import read_requirements
from packager.lock.closure import check_closure, closure
from packager.lock.indexes import requested_indexes
from packager.lock.lockfile import parse_lock, render_lock, write_lock
from packager.lock.locking import Locked, LockOptions, lock
from packager.model.build import BuildOptions
from packager.model.payload import Dependencies, Payload
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.requirement import RequirementSet
from packager.model.runtime_catalog import Policy, RuntimeCatalog, Subtraction
from packager.model.selection import Graph
from packager.model.target import Target
from packager.pipeline_admission import Ready, admit_all, payloads_of
from packager.pipeline_description import Found, describe
from packager.pipeline_memory import (
    TRIES,
    Memory,
    digest_of,
    key_of,
    lasting_key_of,
    look_at,
    settings_of,
    tree_digest,
    unreliable,
)
from packager.pipeline_payloads import (
    Payloads,
    no_trace,
    read_trace,
    set_aside,
    with_bytecode,
)
from packager.runtime.catalog import load_catalog, read_captured_catalog
from packager.runtime.subtraction import subtract
from packager.runtime.targets import load_target
from packager.wheels.download import fetch
from packager.wheels.store import EntryLostError, Store


def resolve_dependencies(
    function: Function,
    memory: Memory,
    *,
    options: BuildOptions,
    reporter: Reporter,
) -> Dependencies:
    """Lock, select, fetch, admit and subtract; the result is remembered.

    What the store loses meanwhile (somebody prunes it, a disk fails) is made again. Raises
    LpackError for what the user's files, the index, a wheel or the disk did.
    """
    for _ in range(TRIES):
        try:
            return _resolve(function, memory, options=options, reporter=reporter)
        except EntryLostError as lost:
            reporter.step(f"the store lost {lost}; once more")
    raise unreliable(memory.store)


def _resolve(
    function: Function,
    memory: Memory,
    *,
    options: BuildOptions,
    reporter: Reporter,
) -> Dependencies:
    target = load_target(function.runtime, function.architecture, function.kind)
    requirements = read_requirements(function)
    store = memory.store
    seen = look_at(
        [*requirements.files, *_beside(function)],
        [project.path for project in requirements.local_projects],
    )
    content = [content_of(requirements), [digest_of(path) for path in _beside(function)]]
    key = key_of(code_identity(), settings_of(function), content)
    if not options.upgrade and not options.write_lock:
        known = memory.recall_content(key)
        if known is not None:
            memory.point(key, seen=seen)
            return known
    locked = _lock(function, requirements, target, store=store, options=options, reporter=reporter)
    pins = locked.selection.pins
    fetch(
        [pin.wheel for pin in pins],
        store,
        settings=locked.indexes,
        reporter=reporter,
        offline=options.offline,
    )
    ready = admit_all(function, pins, store=store, reporter=reporter)
    graph = _prove(requirements, locked, target, ready)
    subtraction = _subtract(function, graph, target)
    made = _payloads(function, target, locked, ready, subtraction, memory, reporter)
    payloads, bytecode, makers = made
    found = Found(target, locked.selection, graph, ready, payloads, bytecode, subtraction, makers)
    dependencies = describe(found)
    memory.remember(key, dependencies, seen=seen)
    return dependencies


def _beside(function: Function) -> list[Path]:
    """Files that decide the dependencies besides the requirements; a trace need not be there."""
    wants_trace = function.slim == "traced" or function.bytecode
    catalog = [function.catalog] if function.catalog else []
    return [*catalog, *([function.trace] if wants_trace else [])]


def _payloads(
    function: Function,
    target: Target,
    locked: Locked,
    ready: Mapping[NormalizedName, Ready],
    subtraction: Subtraction,
    memory: Memory,
    reporter: Reporter,
) -> tuple[dict[NormalizedName, Payload], dict[NormalizedName, Payload], tuple[str, ...]]:
    """Slim what ships; then what a trace sets aside, and bytecode, for those who ask for it."""
    store = memory.store
    kept = [pin for pin in locked.selection.pins if pin.name not in subtraction.subtracted]
    python = f"{target.python[0]}.{target.python[1]}"
    slimmed = payloads_of(function, kept, ready, store=store, python=python)
    shipped: Payloads = {(pin.name, str(pin.version)): slimmed[pin.name] for pin in kept}
    makers: list[str] = []
    if function.slim == "traced":
        makers.append("fallback archives by liblzma, preset 6")
        trace = read_trace(function)
        if trace is None:
            raise no_trace(function)
        shipped = set_aside(shipped, trace, store=store, reporter=reporter)
    compiled: Payloads = {}
    if function.bytecode:
        compiled, maker = with_bytecode(function, target, shipped, store=store, reporter=reporter)
        makers.append(maker)
    return (
        {canonicalize_name(name): payload for (name, _), payload in shipped.items()},
        {canonicalize_name(name): payload for (name, _), payload in compiled.items()},
        tuple(makers),
    )


def _prove(
    requirements: RequirementSet,
    locked: Locked,
    target: Target,
    ready: Mapping[NormalizedName, Ready],
) -> Graph:
    """Walk the wheels' own METADATA: the selection must be exactly what is required."""
    known = requirements.roots_known
    graph = closure(
        locked.selection.pins,
        {name: each.metadata for name, each in ready.items()},
        declared=locked.declared,
        target=target,
        roots_known=known,
    )
    check_closure(graph, target, roots_known=known)
    return graph


def content_of(requirements: RequirementSet) -> list[Any]:
    """Everything in the requirements that decides the result, as JSON-ready values."""
    lock_digest = digest_of(requirements.lock) if requirements.lock else None
    indexes = requirements.indexes
    return [
        [[str(item.requirement), item.origin] for item in requirements.declared],
        [str(item.requirement) for item in requirements.constraints],
        [
            [str(p.path), list(p.extras), tree_digest(str(p.path))]
            for p in requirements.local_projects
        ],
        sorted([*key, *sorted(digests)] for key, digests in requirements.hashes.items()),
        requirements.require_hashes,
        requirements.prereleases,
        lock_digest,
        [indexes.index_url, *indexes.extra_index_urls, *indexes.find_links, indexes.no_index],
    ]


def _lock(
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
    return [function.runtime, function.architecture, function.resolver, *function.allow_sdist,
            function.index_url, *function.extra_index_urls, function.index_strategy]  # fmt: skip


def _subtract(function: Function, graph: Graph, target: Target) -> Subtraction:
    catalog: RuntimeCatalog
    if function.catalog is not None:
        catalog = read_captured_catalog(
            function.catalog, function.runtime, architecture=function.architecture
        )
    else:
        catalog = load_catalog(function.runtime)
    policies: dict[str, Policy] = {}
    for name, policy in function.subtract:
        policies[name if name == "*" else canonicalize_name(name)] = policy  # type: ignore[assignment]  # the configuration admits only policies
    return subtract(graph, catalog, policies=policies, environment=target.marker_environment)
