"""Who requires whom in an artifact, from the metadata that is in it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from packager.model.owned import OwnedDistribution
from packager.model.payload import RequiredBy


def edges_of(
    distributions: Sequence[OwnedDistribution], environment: Mapping[str, str]
) -> dict[str, list[RequiredBy]]:
    """Return for every distribution who requires it under the target's markers.

    Nobody notes which extras were asked for: what an extra requires counts when it is there and
    nothing else explains it. What nothing requires, and what an installer noted as asked for by
    name, hangs on the project itself (`parent` is empty).
    """
    edges: dict[str, list[RequiredBy]] = {each.name: [] for each in distributions}
    for each in distributions:
        if each.asked_for:
            edges[each.name].append(RequiredBy("", each.name, "your code (asked for by name)"))
    optional: list[tuple[str, RequiredBy]] = []
    for each in distributions:
        for requirement, always in requirements_of(each, environment):
            name = canonicalize_name(requirement.name)
            if name not in edges or name == each.name:
                continue
            edge = RequiredBy(each.name, str(requirement), f"{each.name} {each.version}".rstrip())
            if not always:
                optional.append((name, edge))
            elif edge not in edges[name]:
                edges[name].append(edge)
    unexplained = {name for name, incoming in edges.items() if not incoming}
    for child, edge in optional:
        if child in unexplained:
            edges[child].append(edge)
    _add_roots(edges)
    return edges


def _add_roots(edges: dict[str, list[RequiredBy]]) -> None:
    """Hang on the project what nothing requires, and one of every circle that nothing requires."""
    children: dict[str, list[str]] = {name: [] for name in edges}
    for name, incoming in edges.items():
        for edge in incoming:
            if edge.parent:
                children[edge.parent].append(name)
    reached: set[str] = set()
    for name in sorted(edges, key=lambda name: any(edge.parent for edge in edges[name])):
        asked_for = any(not edge.parent for edge in edges[name])
        if name in reached and not asked_for:
            continue
        if not asked_for:
            root = RequiredBy("", name, "your code (nothing else requires it)")
            edges[name].insert(0, root)
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current not in reached:
                reached.add(current)
                waiting.extend(children[current])


def requirements_of(
    distribution: OwnedDistribution, environment: Mapping[str, str]
) -> Iterator[tuple[Requirement, bool]]:
    """Yield what `distribution` requires on the target, and whether without any extra."""
    for text in distribution.requires:
        requirement = _parse(text)
        if requirement is None:
            continue
        if _holds(requirement, environment, ""):
            yield requirement, True
        elif "extra" in text and any(
            _holds(requirement, environment, extra) for extra in distribution.extras
        ):
            yield requirement, False


@lru_cache(maxsize=16_384)
def _parse(text: str) -> Requirement | None:
    """Parse once what several questions ask for; None for what PEP 508 does not allow."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def names_required(
    distribution: OwnedDistribution, environment: Mapping[str, str]
) -> dict[NormalizedName, Requirement]:
    """Return what `distribution` cannot do without, by normalized name."""
    return {
        canonicalize_name(requirement.name): requirement
        for requirement, always in requirements_of(distribution, environment)
        if always
    }


def _holds(requirement: Requirement, environment: Mapping[str, str], extra: str) -> bool:
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate({**environment, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False
