"""Subtraction: what need not ship because the runtime has it, decided and explained. Pure."""

from collections.abc import Iterable, Mapping

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from packager.model.runtime_catalog import (
    Conflict,
    Decision,
    Policy,
    RuntimeCatalog,
    RuntimePackage,
    Subtraction,
)
from packager.model.selection import Edge, Graph
from packager.runtime.fixed_point import (
    Cause,
    Problem,
    broken_needs,
    counting_edges,
    fails,
    prepare,
    solve,
)
from packager.runtime.loosening import has_upper_bound, loosened, written

_NAMED_AT_MOST = 2
"""How many requirements one sentence names."""


def subtract(
    graph: Graph,
    catalog: RuntimeCatalog,
    *,
    policies: Mapping[str, Policy],
    environment: Mapping[str, str],
) -> Subtraction:
    """Decide for every selected distribution that the runtime also provides.

    `policies` maps names, or `*`, to a policy; `compatible` is the default. `environment` holds
    the target's marker variables, for the requirements of the runtime's own packages. What counts
    of the project is what it declares, not what a lock pinned.
    """
    problem = prepare(graph, catalog, policies=policies, environment=environment)
    kept = solve(problem)
    decisions = [
        _kept(problem, name, kept) if name in kept else _subtracted(problem, name, kept)
        for name in problem.candidates
    ]
    return Subtraction(
        decisions=tuple(decisions),
        conflicts=_conflicts(problem, kept),
        catalog_date=catalog.date,
        catalog_source=catalog.source,
    )


def _subtracted(
    problem: Problem, name: NormalizedName, kept: Mapping[NormalizedName, Cause]
) -> Decision:
    """Explain why `name` does not ship."""
    package = problem.package(name)
    counting = counting_edges(problem, name, kept)
    failing = [edge for edge in counting if fails(edge, package)]
    broken = broken_needs(problem, name, kept)
    torn = sorted(problem.neighbours[name] & kept.keys())
    forced = bool(failing or broken or torn)
    if failing:
        reason = f"the policy is `always`, although {_failing(problem, package, failing)}"
    elif broken:
        reason = f"the policy is `always`, although {_broken(problem, package, broken[0])}"
    elif torn:
        reason = f"the policy is `always`, although {torn[0]} of its group is bundled"
    else:
        reason = _satisfied(problem, package, counting)
    return Decision(
        name=name,
        version=problem.graph.versions[name],
        runtime_version=package.version,
        outcome="subtracted",
        code="forced" if forced else "satisfied",
        reason=reason,
    )


def _kept(problem: Problem, name: NormalizedName, kept: Mapping[NormalizedName, Cause]) -> Decision:
    """Explain why `name` ships although the runtime has it, and what would change that."""
    cause = kept[name]
    package = problem.package(name)
    loosen, frees = _loosening(problem, name, kept)
    return Decision(
        name=name,
        version=problem.graph.versions[name],
        runtime_version=package.version,
        outcome="kept",
        code=cause.code,
        reason=_kept_reason(problem, package, cause),
        blocked_by=_blocked_by(problem, package, cause),
        loosen=loosen,
        loosen_frees=frees,
    )


def _kept_reason(problem: Problem, package: RuntimePackage, cause: Cause) -> str:
    """Return the sentence for a kept distribution."""
    if cause.edges:
        return _failing(problem, package, cause.edges)
    if cause.need is not None:
        return _broken(problem, package, cause.need)
    if cause.neighbour is not None:
        return (
            f"{package.name} goes with {cause.neighbour}, which is bundled: AWS calls a package "
            "of the runtime with a bundled dependency not compatible"
        )
    return f"the policy for {package.name} is `never`"


def _blocked_by(problem: Problem, package: RuntimePackage, cause: Cause) -> str | None:
    """Return the requirements that fail, each with its origin."""
    if cause.edges:
        return ", ".join(_named(edge) for edge in cause.edges)
    if cause.need is not None:
        return f"`{written(cause.need)}` ({_own(problem, package)})"
    return None


def _failing(problem: Problem, package: RuntimePackage, edges: Iterable[Edge]) -> str:
    """Say which requirements the runtime's version fails."""
    named = list(edges)
    asks = [f"{edge.origin} asks for `{written(edge.requirement)}`" for edge in named]
    more = f" and {len(asks) - _NAMED_AT_MOST} more" if len(asks) > _NAMED_AT_MOST else ""
    text = " and ".join(asks[:_NAMED_AT_MOST]) + more
    if package.version is not None:
        return f"{text}, {problem.catalog.runtime} has {package.version}"
    return (
        f"{text}, and the version in {problem.catalog.runtime} is not known "
        "(`lpack runtime capture` finds it out)"
    )


def _broken(problem: Problem, package: RuntimePackage, need: Requirement) -> str:
    """Say what the runtime's own copy misses among what is bundled."""
    other = canonicalize_name(need.name)
    bundled = problem.graph.versions[other]
    return f"{_own(problem, package)} needs `{written(need)}`, and {other} {bundled} is bundled"


def _satisfied(problem: Problem, package: RuntimePackage, counting: list[Edge]) -> str:
    """Say that the runtime's version will do, and where that may end."""
    runtime = problem.catalog.runtime
    if package.version is None:
        text = f"{package.name} is in {runtime} (version not known)"
        asked = "is not asked for in any version"
    else:
        seen = "captured" if problem.catalog.captured else "seen"
        text = f"{package.name} {package.version} is in {runtime} ({seen} {package.date})"
        asked = f"satisfies {_listed(counting)}"
    if not counting:
        return f"{text} and only what {runtime} also has asks for it"
    bounded = [edge for edge in counting if has_upper_bound(edge.requirement)]
    until = f", until AWS moves past {_named(bounded[0])}" if bounded else ""
    return f"{text} and {asked}{until}"


def _listed(edges: list[Edge]) -> str:
    """Name the first requirements, and how many more there are."""
    more = f" and {len(edges) - _NAMED_AT_MOST} more" if len(edges) > _NAMED_AT_MOST else ""
    return ", ".join(_named(edge) for edge in edges[:_NAMED_AT_MOST]) + more


def _named(edge: Edge) -> str:
    """Return a requirement with its origin."""
    return f"`{written(edge.requirement)}` ({edge.origin})"


def _own(problem: Problem, package: RuntimePackage) -> str:
    """Name the runtime's own copy: `boto3 1.42.97 of python3.13`."""
    version = f" {package.version}" if package.version is not None else ""
    return f"{package.name}{version} of {problem.catalog.runtime}"


def _loosening(
    problem: Problem, name: NormalizedName, kept: Mapping[NormalizedName, Cause]
) -> tuple[str | None, tuple[NormalizedName, ...]]:
    """Return what the project could write instead so that `name` leaves, and what leaves then.

    One requirement is tried first; where the project pins several members of a group, one alone
    helps nothing, and all that it pins are loosened together.
    """
    own = _relaxed_edges(problem, name, kept[name])
    if not own:
        return None, ()
    freed = _freed(problem, own, kept)
    if name not in freed:
        own = _relaxed_together(problem, name, kept)
        freed = _freed(problem, own, kept)
    if name not in freed:
        return None, ()
    return ", ".join(sorted({written(edge.requirement) for edge in own.values()})), freed


def _relaxed_together(
    problem: Problem, name: NormalizedName, kept: Mapping[NormalizedName, Cause]
) -> dict[int, Edge]:
    """Return the fewest of the project's requirements on a group that let `name` leave."""
    group = problem.package(name).group
    together: dict[int, Edge] = {}
    for other in sorted(kept):
        if problem.package(other).group == group:
            together.update(_relaxed_edges(problem, other, kept[other]))
    for place in sorted(together, key=lambda place: written(together[place].requirement)):
        fewer = {other: edge for other, edge in together.items() if other != place}
        if name in _freed(problem, fewer, kept):
            together = fewer
    return together


def _relaxed_edges(problem: Problem, name: NormalizedName, cause: Cause) -> dict[int, Edge]:
    """Return the project's failing requirements on `name`, loosened, by their place in the graph.

    Empty when somebody else's requirement fails too: the project cannot change that one.
    """
    version = problem.package(name).version
    relaxed = {}
    for place, edge in enumerate(problem.graph.edges):
        if edge not in cause.edges:
            continue
        requirement = loosened(edge.requirement, version) if edge.parent is None else None
        if requirement is None:
            return {}
        relaxed[place] = Edge(parent=None, requirement=requirement, origin=edge.origin)
    return relaxed


def _freed(
    problem: Problem, relaxed: Mapping[int, Edge], kept: Mapping[NormalizedName, Cause]
) -> tuple[NormalizedName, ...]:
    """Return the names that would leave as well if the graph had the `relaxed` edges."""
    edges = tuple(relaxed.get(place, edge) for place, edge in enumerate(problem.graph.edges))
    changed = problem.with_graph(Graph(versions=problem.graph.versions, edges=edges))
    return tuple(sorted(kept.keys() - solve(changed).keys()))


def _conflicts(problem: Problem, kept: Mapping[NormalizedName, Cause]) -> tuple[Conflict, ...]:
    """Find what is bundled and shadows something that a package of the runtime needs otherwise.

    Only the runtime's packages that stay in use count: the ones that are not bundled.
    """
    versions = problem.graph.versions
    bundled = set(versions) - (set(problem.candidates) - set(kept))
    conflicts = []
    for name in sorted(problem.catalog.packages.keys() - bundled):
        package = problem.package(name)
        for need in broken_needs(problem, name, kept):
            other = canonicalize_name(need.name)
            conflict = Conflict(
                name=other,
                bundled=versions[other],
                needed_by=_own(problem, package),
                requirement=written(need),
                advice=_advice(problem, package, need, kept.get(other)),
            )
            conflicts.append(conflict)
    return tuple(sorted(conflicts, key=lambda each: (each.name, each.needed_by)))


def _advice(
    problem: Problem, package: RuntimePackage, need: Requirement, cause: Cause | None
) -> str:
    """Say how to resolve a conflict: bundle the group, or bundle a version that suits it.

    No pin is advised against the requirement of another distribution, which `cause` tells.
    """
    wanted = f"`{written(_without_marker(need))}`"
    others = [edge.origin for edge in cause.edges if edge.parent is not None] if cause else []
    group = ""
    if package.name in problem.graph.versions:
        group = f"take the policy `always` off `{package.name}`"
    elif package.group == "sdk":
        group = "declare `boto3` so that the SDK is bundled as a whole"
    if others:
        return group or f"choose a release of {others[0]} that allows {wanted}"
    return f"{group}, or pin {wanted}" if group else f"pin {wanted}"


def _without_marker(requirement: Requirement) -> Requirement:
    """Return `requirement` without its marker, which holds on the target anyway."""
    plain = Requirement(str(requirement))
    plain.marker = None
    return plain
