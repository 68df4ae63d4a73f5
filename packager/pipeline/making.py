"""From requirements to payloads, step by step: lock, select, fetch, admit, subtract, slim.

Whatever cannot be subtracted is slimmed while the steps before are still at other wheels.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, cast

from packaging.utils import NormalizedName

from packager.errors import LpackError
from packager.lock.closure import check_closure, closure
from packager.lock.lockfile import render_lock
from packager.lock.locking import Locked
from packager.model.build import BuildOptions
from packager.model.layer import ForeignLayer
from packager.model.payload import Dependencies, Payload
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.requirement import RequirementSet
from packager.model.runtime_catalog import Policy, RuntimeCatalog, Subtraction
from packager.model.selection import Graph, Pin
from packager.model.target import Target
from packager.pipeline.admission import Ready, admitter, check_slimming, slimmer
from packager.pipeline.description import Found, describe
from packager.pipeline.foreign_layers import read_layers
from packager.pipeline.locking import lock_requirements
from packager.pipeline.payloads import (
    Payloads,
    Placed,
    no_trace,
    read_trace,
    set_aside,
    with_bytecode,
)
from packager.pipeline.shared import SharedBuild
from packager.pipeline.shared_wheels import SharedWheels
from packager.pipeline.workshop import Workshop
from packager.place.offload_settings import chosen, known_names
from packager.runtime.catalog import load_catalog, read_captured_catalog
from packager.runtime.fixed_point import certainly_kept
from packager.runtime.layered import with_layers
from packager.runtime.subtraction import subtract
from packager.slim.tar_archive import tar_maker
from packager.wheels.download import fetch
from packager.wheels.store import Store


class Work(NamedTuple):
    """What every step of the way needs."""

    function: Function
    store: Store
    options: BuildOptions
    reporter: Reporter
    shared: SharedBuild | None


def make_dependencies(
    work: Work, requirements: RequirementSet, target: Target, beside: Sequence[str | None]
) -> Dependencies:
    """Choose the files and make of them what ships, or take it from the shared store."""
    function, store, _, reporter, shared = work
    sharing = None if shared is None else SharedWheels(shared)
    layers = read_layers(function, target)
    locked, publishers = _lock(work, requirements, target)
    if shared is not None:
        known = shared.recall_selected(requirements, beside, locked.selection)
        if known is not None:
            return known._replace(lock_sha256=_lock_sha256(locked))
    pins = locked.selection.pins
    offloaded = known_names(function.offload, [pin.name for pin in pins])
    admit, slim = admitter(function, store), slimmer(function, store, python=_python(target))
    with Workshop(admit, slim, reporter=reporter) as shop:
        unknown = pins if sharing is None else sharing.without_admission(pins)
        # What the shared store may have is asked for before it is made.
        certain = _certain(function, unknown, layers) if sharing is None else ()
        _fetch(work, unknown, locked, shop, shipping=certain)
        ready = shop.admitted(pins)
        graph = _prove(requirements, locked, target, ready)
        subtraction = _subtract(function, graph, target, layers)
        names = chosen(offloaded, graph, subtraction.subtracted)
        kept = [pin for pin in pins if pin.name not in subtraction.subtracted]
        if sharing is not None:
            lacking = sharing.without_payload(kept, ready, python=_python(target))
            _fetch(work, lacking, locked, shop, shipping=[pin.name for pin in lacking])
            ready |= shop.admitted(lacking)
        check_slimming(function)
        slimmed = shop.payloads(kept)
    proven = _Proven(target, kept, slimmed, graph, names)
    placed = _placed(function, proven, store=store, reporter=reporter)
    found = Found(target, locked.selection, graph, ready, placed, subtraction, layers)
    found = found._replace(lock_sha256=_lock_sha256(locked), publishers=publishers)
    dependencies = describe(found)
    if sharing is not None:
        sharing.keep(dependencies, pins, ready, python=_python(target))
    return dependencies


def _lock(
    work: Work, requirements: RequirementSet, target: Target
) -> tuple[Locked, Mapping[str, tuple[str, ...]]]:
    """Lock, and return by name who provably published what was chosen."""
    function, store, options, reporter, _ = work
    attesting = None
    if function.attestations or function.publishers:
        # Loaded here because few functions ask for it.
        from packager.pipeline.attestations import Attesting  # noqa: PLC0415

        attesting = Attesting(function, store=store, offline=options.offline, reporter=reporter)
    locked = lock_requirements(
        function,
        requirements,
        target,
        store=store,
        options=options,
        reporter=reporter,
        attesting=attesting,
    )
    return locked, {} if attesting is None else attesting.publishers()


def _fetch(
    work: Work,
    pins: Sequence[Pin],
    locked: Locked,
    shop: Workshop,
    *,
    shipping: Collection[NormalizedName],
) -> None:
    """Fetch the wheels; each is worked on as soon as it is there."""
    shop.expect(pins, shipping=shipping)
    fetch(
        [pin.wheel for pin in pins],
        work.store,
        settings=locked.indexes,
        reporter=work.reporter,
        offline=work.options.offline,
        arrived=shop.arrived,
    )


def _certain(
    function: Function, pins: Sequence[Pin], layers: Sequence[ForeignLayer]
) -> Collection[NormalizedName]:
    """Return those that ship whatever the wheels say, so that nothing need be waited for."""
    try:
        catalog = _catalog(function, layers)
    except LpackError:
        # It is told when it is its turn.
        return ()
    return certainly_kept([pin.name for pin in pins], catalog, policies=_policies(function))


def _lock_sha256(locked: Locked) -> str:
    return hashlib.sha256(render_lock(locked.pylock).encode()).hexdigest()


def _python(target: Target) -> str:
    return f"{target.python[0]}.{target.python[1]}"


class _Proven(NamedTuple):
    """What ships, slimmed; `offloaded` are names."""

    target: Target
    kept: Sequence[Pin]
    slimmed: Mapping[NormalizedName, Payload]
    graph: Graph
    offloaded: Sequence[str]


def _placed(function: Function, proven: _Proven, *, store: Store, reporter: Reporter) -> Placed:
    """Go on from what was slimmed: a trace, bytecode and /tmp, each for those who ask for it."""
    target, offloaded = proven.target, proven.offloaded
    shipped: Payloads = {
        (pin.name, str(pin.version)): proven.slimmed[pin.name] for pin in proven.kept
    }
    makers: list[str] = []
    if function.slim == "traced":
        makers.append(tar_maker("xz"))
        trace = read_trace(function)
        if trace is None:
            raise no_trace(function)
        staying = {of: each for of, each in shipped.items() if of[0] not in offloaded}
        shipped |= set_aside(staying, trace, store=store, reporter=reporter)
    compiled: Payloads = {}
    if function.bytecode:
        compiled, maker = with_bytecode(function, target, shipped, store=store, reporter=reporter)
        makers.append(maker)
    placed = Placed(shipped, compiled, {}, tuple(makers))
    if not offloaded:
        return placed
    # Loaded here because hardly any build needs it.
    from packager.pipeline.offload import offload  # noqa: PLC0415

    return offload(
        function, target, offloaded, placed, graph=proven.graph, store=store, reporter=reporter
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


def _subtract(
    function: Function, graph: Graph, target: Target, layers: Sequence[ForeignLayer]
) -> Subtraction:
    return subtract(
        graph,
        _catalog(function, layers),
        policies=_policies(function),
        environment=target.marker_environment,
    )


def _policies(function: Function) -> dict[str, Policy]:
    # The configuration admits nothing else.
    return cast("dict[str, Policy]", dict(function.subtract))


def _catalog(function: Function, layers: Sequence[ForeignLayer]) -> RuntimeCatalog:
    """Return what the function finds without shipping it; raises LpackError for a captured one."""
    catalog: RuntimeCatalog
    if function.catalog is not None:
        catalog = read_captured_catalog(
            function.catalog, function.runtime, architecture=function.architecture
        )
    else:
        catalog = load_catalog(function.runtime)
    return with_layers(catalog, layers) if layers else catalog
