"""What the stages found out about dependencies, in the plain words of manifests."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from packaging.utils import NormalizedName, canonicalize_name

from packager.model.layer import ForeignLayer
from packager.model.origin import without_credentials
from packager.model.payload import (
    Dependencies,
    Distribution,
    LimitFact,
    Payload,
    RequiredBy,
    SubtractionLine,
    TargetFacts,
)
from packager.model.redaction import redact_url
from packager.model.runtime_catalog import Conflict, Decision, Subtraction
from packager.model.selection import Graph, Selection, WheelReference
from packager.model.target import Target
from packager.pipeline.admission import Ready
from packager.pipeline.payloads import Placed

_PLACE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s`'\";]+")


class Found(NamedTuple):
    """What the stages found out; `placed` is of the distributions that ship.

    `publishers` are, by name, those who provably published a file.
    """

    target: Target
    selection: Selection
    graph: Graph
    ready: Mapping[NormalizedName, Ready]
    placed: Placed
    subtraction: Subtraction
    layers: tuple[ForeignLayer, ...] = ()
    lock_sha256: str = ""
    publishers: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def payload(self, name: NormalizedName) -> Payload:
        """Return what ships of a distribution, or what would have."""
        found = (each for of, each in self.placed.payloads.items() if of[0] == name)
        return next(found, self.ready[name].as_it_is)


def describe(found: Found) -> Dependencies:
    """Return the dependencies with every edge, payload and decision."""
    target, selection, graph, ready, placed, subtraction, layers, *_ = found
    gone = subtraction.subtracted
    layer = {each.name: each.layer for each in subtraction.decisions if each.name in gone}
    edges = _edges(graph)
    return Dependencies(
        target=_facts(target),
        distributions=tuple(
            Distribution(
                name=pin.name,
                version=str(pin.version),
                wheel=pin.wheel.filename,
                wheel_sha256=pin.wheel.sha256,
                payload=found.payload(pin.name),
                required_by=tuple(edges.get(pin.name, ())),
                subtracted=pin.name in gone,
                findings=ready[pin.name].findings,
                bytecode=placed.bytecode.get((pin.name, str(pin.version))),
                offloaded=placed.archives.get(pin.name),
                layer=layer.get(pin.name, ""),
                source=_source(pin.wheel),
                publishers=found.publishers.get(pin.name, ()),
            )
            for pin in selection.pins
        ),
        subtraction=tuple(_line(decision, found) for decision in subtraction.decisions),
        conflicts=tuple(
            _portable(
                f"{conflict.name} {conflict.bundled} is {_place(conflict)}, "
                f"and {conflict.needed_by} needs `{conflict.requirement}`: {conflict.advice}"
            )
            for conflict in subtraction.conflicts
        ),
        catalog_date=subtraction.catalog_date,
        catalog_source=subtraction.catalog_source,
        resolver=selection.resolver,
        makers=placed.makers,
        layers=layers,
        lock_sha256=found.lock_sha256,
    )


def _source(wheel: WheelReference) -> str:
    """Return the URL of a wheel that came over the network, without credentials."""
    url = wheel.url or ""
    return redact_url(without_credentials(url)) if url.startswith(("https:", "http:")) else ""


def _place(conflict: Conflict) -> str:
    return f"in the layer `{conflict.layer}`" if conflict.layer else "bundled"


def _edges(graph: Graph) -> dict[str, list[RequiredBy]]:
    """Return for every name who asks for it."""
    edges: dict[str, list[RequiredBy]] = {}
    for edge in graph.edges:
        edges.setdefault(canonicalize_name(edge.requirement.name), []).append(
            RequiredBy(
                parent=edge.parent or "",
                requirement=_portable(str(edge.requirement)),
                origin=edge.origin,
            )
        )
    return edges


def _portable(text: str) -> str:
    """Name the file instead of the place in `NAME @ URL` (PEP 508).

    A manifest is the same on every machine and holds no path of one, no host and no credential.
    """
    return _PLACE.sub(lambda match: redact_url(match[0]).rstrip("/").rpartition("/")[2], text)


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


def _line(decision: Decision, found: Found) -> SubtractionLine:
    frees = [found.payload(name) for name in decision.loosen_frees]
    runtime_version = decision.runtime_version
    return SubtractionLine(
        name=decision.name,
        version=str(decision.version),
        runtime_version=None if runtime_version is None else str(runtime_version),
        outcome=decision.outcome,
        code=decision.code,
        reason=_portable(decision.reason),
        layer=decision.layer,
        blocked_by=None if decision.blocked_by is None else _portable(decision.blocked_by),
        loosen=None if decision.loosen is None else _portable(decision.loosen),
        loosen_compressed_bytes=sum(payload.compressed_bytes for payload in frees),
        loosen_uncompressed_bytes=sum(payload.uncompressed_bytes for payload in frees),
    )
