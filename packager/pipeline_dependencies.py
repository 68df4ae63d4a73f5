"""The first half of the pipeline: from requirements to payloads in the store."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from packaging.metadata import Metadata, RawMetadata
from packaging.utils import NormalizedName, canonicalize_name

from packager.code_identity import code_identity
from packager.errors import CannotBuild
from packager.inputs.requirements import read_requirements
from packager.lock.closure import check_closure, closure
from packager.lock.indexes import requested_indexes
from packager.lock.lockfile import parse_lock, render_lock, write_lock
from packager.lock.locking import Locked, LockOptions, lock
from packager.model.build import BuildOptions
from packager.model.deflating import encoder
from packager.model.payload import (
    Dependencies,
    Distribution,
    LimitFact,
    Payload,
    RequiredBy,
    SubtractionLine,
    TargetFacts,
    payload_from_document,
)
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.requirement import RequirementSet
from packager.model.runtime_catalog import Decision, Policy, RuntimeCatalog, Subtraction
from packager.model.selection import Graph, Pin
from packager.model.target import Target
from packager.pipeline_memory import Memory, key_of, look_at, settings_of, tree_digest
from packager.runtime.catalog import load_catalog, read_captured_catalog
from packager.runtime.subtraction import subtract
from packager.runtime.targets import load_target
from packager.slim.payload import RECIPE, write_payload
from packager.wheels.admission import admit
from packager.wheels.download import fetch
from packager.wheels.store import Store

# Inflating, hashing and checking release the interpreter's lock; more threads than this only
# raise the memory needed.
_ADMISSIONS_AT_ONCE = 4


class Ready:
    """A wheel after admission: what the later stages need of it, as the store remembers it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Wrap the remembered `document`."""
        self.payload = payload_from_document(document["payload"])
        self.findings: tuple[str, ...] = tuple(document["findings"])
        raw: RawMetadata = document["metadata"]
        self.metadata = Metadata.from_raw(raw, validate=False)


def resolve_dependencies(
    function: Function,
    memory: Memory,
    *,
    options: BuildOptions,
    reporter: Reporter,
) -> Dependencies:
    """Lock, select, fetch, admit and subtract; the result is remembered.

    Raises LpackError for what the user's files, the index, a wheel or the disk did.
    """
    target = load_target(function.runtime, function.architecture, function.kind)
    requirements = read_requirements(function)
    store = memory.store
    seen = look_at(
        [*requirements.files, *([function.catalog] if function.catalog else [])],
        [project.path for project in requirements.local_projects],
    )
    key = key_of(code_identity(), settings_of(function), content_of(requirements))
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
    ready = _admit_all(function, pins, store=store, reporter=reporter)
    metadata = {name: each.metadata for name, each in ready.items()}
    graph = closure(
        pins,
        metadata,
        declared=locked.declared,
        target=target,
        roots_known=requirements.roots_known,
    )
    check_closure(graph, target, roots_known=requirements.roots_known)
    subtraction = _subtract(function, graph, target)
    dependencies = _describe(target, locked, graph, ready, subtraction)
    memory.remember(key, dependencies, seen=seen)
    return dependencies


def content_of(requirements: RequirementSet) -> list[Any]:
    """Everything in the requirements that decides the result, as JSON-ready values."""
    lock_bytes = requirements.lock.read_text(encoding="utf-8") if requirements.lock else None
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
        lock_bytes,
        [indexes.index_url, *indexes.extra_index_urls, *indexes.find_links, indexes.no_index],
    ]


def _lock(  # noqa: PLR0913 -- the values of one call, handed through
    function: Function,
    requirements: RequirementSet,
    target: Target,
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
) -> Locked:
    """Lock anew, or as remembered: the same requirements keep their versions until --upgrade."""
    key = key_of("lock", code_identity(), _lock_settings(function), content_of(requirements))
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
    if known:
        reporter.step(
            f"{len(locked.selection.pins)} distributions as locked before by "
            f"{known['resolver']}; --upgrade looks for newer"
        )
    else:
        reporter.step(
            f"locked {len(locked.selection.pins)} distributions for {target.label} "
            f"({locked.selection.resolver})"
        )
    return locked


def _lock_settings(function: Function) -> list[Any]:
    return [function.runtime, function.architecture, function.resolver, *function.allow_sdist,
            function.index_url, *function.extra_index_urls, function.index_strategy]  # fmt: skip


def _admit_all(
    function: Function, pins: tuple[Pin, ...], *, store: Store, reporter: Reporter
) -> dict[NormalizedName, Ready]:
    """Admit every wheel that was not admitted before, several at once."""
    lenient = {_normal(text) for text in function.allow_record_mismatch}

    def one(pin: Pin) -> Ready:
        return _admit(pin, store=store, lenient=f"{pin.name}=={pin.version}" in lenient)

    reporter.begin("admitting", sum(pin.wheel.size_bytes or 0 for pin in pins))
    try:
        with ThreadPoolExecutor(_ADMISSIONS_AT_ONCE) as threads:
            results = list(threads.map(one, pins))
    finally:
        reporter.end()
    return dict(zip((pin.name for pin in pins), results, strict=True))


def _normal(text: str) -> str:
    name, _, version = text.partition("==")
    return f"{canonicalize_name(name.strip())}=={version.strip()}"


def _admit(pin: Pin, *, store: Store, lenient: bool) -> Ready:
    """Return what is known of a wheel, admitting it and writing its payload if need be."""
    wheel = pin.wheel
    key = key_of("payload", RECIPE, encoder(), wheel.sha256, lenient)
    known = store.read_document("admitted", key)
    if known is not None:
        ready = Ready(known)
        if _is_whole(store, ready.payload):
            return ready
    path = store.wheel_path(wheel.sha256)
    admitted = admit(
        path, sha256=wheel.sha256, filename=wheel.filename, allow_record_mismatch=lenient
    )
    if (admitted.name, admitted.version) != (pin.name, pin.version):
        raise CannotBuild(
            f"the lock takes `{wheel.filename}` for {pin.name} {pin.version}, "
            f"and it is {admitted.name} {admitted.version}"
        )
    with store.writing("payloads", key, ".zip", durable=False) as temporary:
        payload = write_payload(path, admitted, temporary, key=key)
    document = {
        "payload": _as_document(payload),
        "findings": list(admitted.findings),
        "metadata": _raw(admitted.metadata),
    }
    store.write_document("admitted", key, document)
    return Ready(document)


def _as_document(payload: Payload) -> dict[str, Any]:
    values = {name: getattr(payload, name) for name in payload.__slots__}
    values["dropped"] = [list(pair) for pair in payload.dropped]
    return values


def _raw(metadata: Metadata) -> dict[str, Any]:
    """Keep of METADATA what the graph needs, and nothing that is merely long."""
    return {
        "metadata_version": "2.1",
        "name": metadata.name,
        "version": str(metadata.version),
        "requires_dist": [str(requirement) for requirement in metadata.requires_dist or ()],
        "provides_extra": [str(extra) for extra in metadata.provides_extra or ()],
    }


def _is_whole(store: Store, payload: Payload) -> bool:
    try:
        return store.file("payloads", payload.key, ".zip").stat().st_size == payload.file_bytes
    except OSError:
        return False


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


def _describe(
    target: Target,
    locked: Locked,
    graph: Graph,
    ready: Mapping[NormalizedName, Ready],
    subtraction: Subtraction,
) -> Dependencies:
    gone = subtraction.subtracted
    edges: dict[str, list[RequiredBy]] = {}
    for edge in graph.edges:
        edges.setdefault(canonicalize_name(edge.requirement.name), []).append(
            RequiredBy(
                parent=edge.parent or "", requirement=str(edge.requirement), origin=edge.origin
            )
        )
    return Dependencies(
        target=_facts(target),
        distributions=tuple(
            Distribution(
                name=pin.name,
                version=str(pin.version),
                wheel=pin.wheel.filename,
                wheel_sha256=pin.wheel.sha256,
                payload=ready[pin.name].payload,
                required_by=tuple(edges.get(pin.name, ())),
                subtracted=pin.name in gone,
                findings=ready[pin.name].findings,
            )
            for pin in locked.selection.pins
        ),
        subtraction=tuple(_line(decision, ready) for decision in subtraction.decisions),
        conflicts=tuple(
            f"{conflict.name} {conflict.bundled} is bundled, and {conflict.needed_by} "
            f"needs `{conflict.requirement}`: {conflict.advice}"
            for conflict in subtraction.conflicts
        ),
        catalog_date=subtraction.catalog_date,
        catalog_source=subtraction.catalog_source,
        resolver=locked.selection.resolver,
    )


def _facts(target: Target) -> TargetFacts:
    return TargetFacts(
        runtime=target.runtime,
        architecture=target.architecture,
        kind=target.kind,
        python=f"{target.python[0]}.{target.python[1]}",
        operating_system=target.operating_system,
        glibc=f"{target.glibc[0]}.{target.glibc[1]}",
        status=target.status,
        limits=tuple(
            LimitFact(
                name=limit.name,
                title=limit.title,
                bytes=limit.bytes,
                source=limit.source,
                date=limit.date,
            )
            for limit in target.limits
        ),
    )


def _line(decision: Decision, ready: Mapping[NormalizedName, Ready]) -> SubtractionLine:
    frees = [ready[name].payload for name in decision.loosen_frees]
    runtime_version = decision.runtime_version
    return SubtractionLine(
        name=decision.name,
        version=str(decision.version),
        runtime_version=None if runtime_version is None else str(runtime_version),
        outcome=decision.outcome,
        code=decision.code,
        reason=decision.reason,
        blocked_by=decision.blocked_by,
        loosen=decision.loosen,
        loosen_compressed_bytes=sum(payload.compressed_bytes for payload in frees),
        loosen_uncompressed_bytes=sum(payload.uncompressed_bytes for payload in frees),
    )
