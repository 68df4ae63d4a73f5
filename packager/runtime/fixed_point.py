"""Which candidates must ship: the greatest fixed point behind the subtraction. Pure.

All candidates are taken out at first. Then those whose absence would break somebody come back,
until nothing changes. Every rule only ever brings back more when more has come back, so the
order plays no part, and what is left out in the end is the greatest set that may be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from packager.model.runtime_catalog import Policy, RuntimeCatalog, RuntimePackage
from packager.model.selection import Edge, Graph


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Why a candidate must ship; `code` is that of `Decision`.

    `edges` are the requirements that fail. `neighbour` is the kept member of its group. `need` is
    what the runtime's own copy requires of a bundled distribution that does not satisfy it.
    """

    code: str
    edges: tuple[Edge, ...] = ()
    neighbour: NormalizedName | None = None
    need: Requirement | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What is selected, what the runtime has, and what the user wants, prepared for solving.

    `candidates` are the selected names that the runtime provides. `onto` holds the requirements
    on each of them. `needs` holds what each runtime package requires under the target's markers.
    `neighbours` joins the candidates of one group of which one requires the other.
    """

    graph: Graph
    catalog: RuntimeCatalog
    policies: Mapping[NormalizedName, Policy]
    default_policy: Policy
    candidates: tuple[NormalizedName, ...]
    onto: Mapping[NormalizedName, tuple[Edge, ...]]
    needs: Mapping[NormalizedName, tuple[Requirement, ...]]
    neighbours: Mapping[NormalizedName, frozenset[NormalizedName]] = field(repr=False)

    def policy(self, name: NormalizedName) -> Policy:
        """Return the policy for `name`."""
        return self.policies.get(name, self.default_policy)

    def package(self, name: NormalizedName) -> RuntimePackage:
        """Return the runtime's own copy of `name`."""
        return self.catalog.packages[name]

    def with_graph(self, graph: Graph) -> "Problem":
        """Return the same problem where only the texts of the requirements differ."""
        return replace(self, graph=graph, onto=_edges_onto(self.candidates, graph))


def prepare(
    graph: Graph,
    catalog: RuntimeCatalog,
    *,
    policies: Mapping[str, Policy],
    environment: Mapping[str, str],
) -> Problem:
    """Return the problem; the key `*` of `policies` is the policy of all others."""
    candidates = sorted(name for name in graph.versions if _may_leave(name, catalog))
    needs = {
        name: tuple(need for need in package.requires if _applies(need, environment))
        for name, package in catalog.packages.items()
    }
    return Problem(
        graph=graph,
        catalog=catalog,
        policies=_by_name(policies),
        default_policy=policies.get("*", "compatible"),
        candidates=tuple(candidates),
        onto=_edges_onto(candidates, graph),
        needs=needs,
        neighbours=_neighbours(graph, catalog, candidates, needs),
    )


def certainly_kept(
    names: Iterable[NormalizedName], catalog: RuntimeCatalog, *, policies: Mapping[str, Policy]
) -> list[NormalizedName]:
    """Return those of `names` that ship whatever anything requires of them."""
    named, others = _by_name(policies), policies.get("*", "compatible")
    return [
        name
        for name in names
        if not _may_leave(name, catalog) or named.get(name, others) == "never"
    ]


def solve(problem: Problem) -> dict[NormalizedName, Cause]:
    """Return the candidates that must ship, each with the first cause found for it."""
    kept: dict[NormalizedName, Cause] = {}
    while True:
        # A requirement that fails says more than the group rule, so it is looked for first.
        found = _find_direct(problem, kept) or _find_by_group(problem, kept)
        if not found:
            return kept
        kept.update(found)


def counting_edges(
    problem: Problem, name: NormalizedName, kept: Iterable[NormalizedName]
) -> list[Edge]:
    """Return the requirements on `name` that hold at run time.

    Those of a subtracted distribution do not: the runtime's own copy is used instead of it, with
    its own requirements.
    """
    subtracted = set(problem.candidates) - set(kept)
    return [edge for edge in problem.onto[name] if edge.parent not in subtracted]


def fails(edge: Edge, package: RuntimePackage) -> bool:
    """Tell whether the runtime's `package` is not known to satisfy the requirement of `edge`."""
    requirement = edge.requirement
    if requirement.url is not None:
        return True
    if package.version is None:
        return bool(requirement.specifier)
    return not requirement.specifier.contains(package.version, prereleases=True)


def broken_needs(
    problem: Problem, name: NormalizedName, kept: Iterable[NormalizedName]
) -> list[Requirement]:
    """Return what the runtime's own `name` requires in vain of what the function will find.

    AWS ships packages that fit each other, but between them and a layer, or between two layers,
    anything can be.
    """
    subtracted = set(problem.candidates) - set(kept)
    package = problem.package(name)
    broken = []
    for need in problem.needs[name]:
        other = canonicalize_name(need.name)
        if other in problem.graph.versions and other not in subtracted:
            version: Version | None = problem.graph.versions[other]
        else:
            provider = problem.catalog.packages.get(other)
            if provider is None:
                # A layer need not hold all that its distributions need; the runtime does.
                if package.layer:
                    broken.append(need)
                continue
            if provider.layer == package.layer == "":
                continue
            version = provider.version
        if version is not None and not need.specifier.contains(version, prereleases=True):
            broken.append(need)
    return broken


def _may_leave(name: NormalizedName, catalog: RuntimeCatalog) -> bool:
    return name in catalog.packages and catalog.packages[name].subtractable


def _by_name(policies: Mapping[str, Policy]) -> dict[NormalizedName, Policy]:
    return {canonicalize_name(name): policy for name, policy in policies.items()}


def _find_direct(
    problem: Problem, kept: Mapping[NormalizedName, Cause]
) -> dict[NormalizedName, Cause]:
    """Return the candidates that a policy or a failing requirement brings back now."""
    found = {}
    for name in problem.candidates:
        policy = problem.policy(name)
        if name in kept or policy == "always":
            continue
        cause = Cause(code="policy") if policy == "never" else _failure(problem, name, kept)
        if cause is not None:
            found[name] = cause
    return found


def _failure(
    problem: Problem, name: NormalizedName, kept: Mapping[NormalizedName, Cause]
) -> Cause | None:
    """Return why the runtime's `name` will not do, None when it will."""
    package = problem.package(name)
    failing = [edge for edge in counting_edges(problem, name, kept) if fails(edge, package)]
    if failing:
        known = package.version is not None or any(edge.requirement.url for edge in failing)
        return Cause(code="requirement" if known else "version-unknown", edges=tuple(failing))
    for need in broken_needs(problem, name, kept):
        if _group_of(problem.catalog, canonicalize_name(need.name)) != package.group:
            return Cause(code="requirement", need=need)
    return None


def _find_by_group(
    problem: Problem, kept: Mapping[NormalizedName, Cause]
) -> dict[NormalizedName, Cause]:
    """Return the candidates joined to a kept one of their group, directly or through others.

    AWS: a package of the runtime with a bundled dependency is not compatible (Lambda Developer
    Guide, runtimes-update), so a group moves as one where its members depend on each other.
    """
    found: dict[NormalizedName, Cause] = {}
    roots = {name: name for name in kept}
    reached = sorted(kept)
    while reached:
        following = []
        for name in reached:
            for neighbour in sorted(problem.neighbours[name]):
                if neighbour in roots:
                    continue
                roots[neighbour] = roots[name]
                following.append(neighbour)
                if problem.policy(neighbour) != "always":
                    found[neighbour] = Cause(code="group", neighbour=roots[name])
        reached = following
    return found


def _edges_onto(
    candidates: Iterable[NormalizedName], graph: Graph
) -> dict[NormalizedName, tuple[Edge, ...]]:
    """Return the requirements on each candidate, in an order that only depends on them."""
    onto: dict[NormalizedName, list[Edge]] = {name: [] for name in candidates}
    for edge in graph.edges:
        name = canonicalize_name(edge.requirement.name)
        if name in onto:
            onto[name].append(edge)
    return {name: tuple(sorted(edges, key=_edge_order)) for name, edges in onto.items()}


def _neighbours(
    graph: Graph,
    catalog: RuntimeCatalog,
    candidates: Iterable[NormalizedName],
    needs: Mapping[NormalizedName, tuple[Requirement, ...]],
) -> dict[NormalizedName, frozenset[NormalizedName]]:
    """Return, for each candidate, those of its group that it requires or that require it."""
    joined: dict[NormalizedName, set[NormalizedName]] = {name: set() for name in candidates}
    pairs = [(edge.parent, edge.requirement) for edge in graph.edges if edge.parent is not None]
    pairs += [(name, need) for name in joined for need in needs[name]]
    for parent, requirement in pairs:
        child = canonicalize_name(requirement.name)
        if parent == child or parent not in joined or child not in joined:
            continue
        if catalog.packages[parent].group == catalog.packages[child].group:
            joined[parent].add(child)
            joined[child].add(parent)
    return {name: frozenset(others) for name, others in joined.items()}


def _group_of(catalog: RuntimeCatalog, name: NormalizedName) -> str | None:
    """Return the group of `name`, None when the runtime does not provide it."""
    package = catalog.packages.get(name)
    return package.group if package is not None else None


def _applies(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Tell whether a runtime package's requirement holds on the target, without extras."""
    marker = requirement.marker
    return marker is None or marker.evaluate({**environment, "extra": ""})


def _edge_order(edge: Edge) -> tuple[bool, str, str, str]:
    """Order edges: what the project declares first, then by parent."""
    return (edge.parent is not None, edge.parent or "", edge.origin, str(edge.requirement))
