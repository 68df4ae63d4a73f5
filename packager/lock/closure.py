"""The proof that a selection is exactly what the requirements ask for, whoever resolved it.

Pure: METADATA, declared requirements and the target's markers go in, a graph or an error comes
out. Requires-Dist is read as PEP 508 and the dependency specifier page of the packaging guide
have it: an extra's requirements are those whose marker holds with `extra` set to its name.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from packager.errors import CannotBuild
from packager.model.requirement import Declared
from packager.model.selection import Edge, Graph, MetadataByName, Pin
from packager.model.target import Target

LOCK_ORIGIN = "the lock"


def closure(
    pins: Iterable[Pin],
    metadata: MetadataByName,
    *,
    declared: Sequence[Declared],
    target: Target,
    roots_known: bool = True,
) -> Graph:
    """Walk from what is declared along Requires-Dist and give every edge that was walked.

    Names that are required but not pinned appear only as edges. Without known roots, every pin
    that no other pin requires counts as asked for.
    """
    versions = {pin.name: pin.version for pin in pins}
    walk = _Walk(versions, metadata, target.marker_environment)
    for item in declared:
        if _holds(item.requirement.marker, target.marker_environment, {""}):
            walk.add(Edge(parent=None, requirement=item.requirement, origin=item.origin))
    walk.run()
    if not roots_known:
        _adopt_unasked(walk)
    return Graph(versions=versions, edges=tuple(sorted(walk.edges, key=_edge_order)))


def check_closure(graph: Graph, target: Target, *, roots_known: bool = True) -> None:
    """Raise CannotBuild, naming the edge, unless the pins are exactly the closure.

    Versions are held against every specifier; prereleases are accepted where they are pinned.
    """
    faults = [fault for edge in graph.edges if (fault := _fault(edge, graph, target))]
    if faults:
        raise CannotBuild(
            faults[0],
            details=faults[1:],
            hint="the lock is stale or was made for another target: lock again",
        )
    required = {canonicalize_name(edge.requirement.name) for edge in graph.edges}
    superfluous = sorted(set(graph.versions) - required)
    if superfluous and roots_known:
        name = superfluous[0]
        raise CannotBuild(
            f"the lock selects `{name} {graph.versions[name]}` for {target.label}, and nothing "
            "requires it there",
            details=[f"{other} {graph.versions[other]}" for other in superfluous[1:]],
            hint="the lock is stale or was made for another target: lock again",
        )


class _Walk:
    """A walk over the pins; a pin is visited again when another extra of it is asked for."""

    def __init__(
        self,
        versions: Mapping[NormalizedName, Version],
        metadata: MetadataByName,
        environment: Mapping[str, str],
    ) -> None:
        """Start with nothing visited."""
        self.versions = versions
        self.metadata = metadata
        self.environment = environment
        self.edges: dict[Edge, None] = {}
        self.extras: dict[NormalizedName, set[str]] = {}
        self._waiting: deque[NormalizedName] = deque()

    def add(self, edge: Edge) -> None:
        """Note `edge`, and visit its end when that is new or has a new extra."""
        if edge in self.edges:
            return
        self.edges[edge] = None
        name = canonicalize_name(edge.requirement.name)
        if name not in self.versions:
            return
        wanted = {canonicalize_name(extra) for extra in edge.requirement.extras}
        known = self.extras.get(name)
        if known is None or not wanted <= known:
            self.extras[name] = (known or set()) | wanted
            self._waiting.append(name)

    def run(self) -> None:
        """Walk until nothing is waiting."""
        while self._waiting:
            name = self._waiting.popleft()
            origin = f"{name} {self.versions[name]}"
            for requirement in self._requirements(name):
                self.add(Edge(parent=name, requirement=requirement, origin=origin))

    def _requirements(self, name: NormalizedName) -> Iterable[Requirement]:
        metadata = self.metadata.get(name)
        if metadata is None:
            return
        extras = {""} | self.extras[name]
        for requirement in metadata.requires_dist or ():
            if _holds(requirement.marker, self.environment, extras):
                yield requirement


def _adopt_unasked(walk: _Walk) -> None:
    """Make roots of all pins that nothing requires, then of what only a cycle requires."""
    required = {
        canonicalize_name(requirement.name)
        for name in walk.versions
        for requirement in (
            walk.metadata[name].requires_dist or () if name in walk.metadata else ()
        )
        if _holds(requirement.marker, walk.environment, {""})
        and canonicalize_name(requirement.name) != name
    }
    tops = [name for name in sorted(walk.versions) if name not in required]
    for name in [*tops, *sorted(walk.versions)]:
        if name not in walk.extras:
            # Nobody said which versions will do, so only the locked one is known to.
            pinned = Requirement(f"{name}=={walk.versions[name]}")
            walk.add(Edge(parent=None, requirement=pinned, origin=LOCK_ORIGIN))
            walk.run()


def _holds(marker: Marker | None, environment: Mapping[str, str], extras: set[str]) -> bool:
    """Tell whether `marker` holds with any of `extras`; the empty extra means none asked for."""
    if marker is None:
        return True
    return any(marker.evaluate({**environment, "extra": extra}) for extra in sorted(extras))


def _fault(edge: Edge, graph: Graph, target: Target) -> str | None:
    name = canonicalize_name(edge.requirement.name)
    wanted = f"{edge.origin} requires `{_short(edge.requirement)}`"
    version = graph.versions.get(name)
    if version is None:
        return f"{wanted}, which the lock does not select for {target.label}"
    if edge.requirement.specifier.contains(version, prereleases=True):
        return None
    return f"{wanted}, and the lock selects `{name} {version}` for {target.label}"


def _short(requirement: Requirement) -> str:
    """Give the requirement without its marker, which is known to hold."""
    text = str(requirement)
    return text.partition(";")[0].strip() if requirement.marker is not None else text


def _edge_order(edge: Edge) -> tuple[str, str, str]:
    return (edge.parent or "", canonicalize_name(edge.requirement.name), str(edge.requirement))
