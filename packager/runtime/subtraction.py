"""Subtraction: what need not ship because the runtime has it, decided and explained. Pure."""

from collections.abc import Mapping

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
from packager.runtime.loosening import loosened, written
from packager.runtime.subtraction_words import failing, missed, named, own_copy, satisfied


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
    unmet = [edge for edge in counting if fails(edge, package)]
    broken = broken_needs(problem, name, kept)
    torn = sorted(problem.neighbours[name] & kept.keys())
    forced = bool(unmet or broken or torn)
    if unmet:
        reason = f"the policy is `always`, although {failing(problem, package, unmet)}"
    elif broken:
        reason = f"the policy is `always`, although {missed(problem, package, broken[0], kept)}"
    elif torn:
        reason = f"the policy is `always`, although {torn[0]} of its group is bundled"
    else:
        reason = satisfied(problem, package, counting)
    return Decision(
        name=name,
        version=problem.graph.versions[name],
        runtime_version=package.version,
        outcome="subtracted",
        code="forced" if forced else "satisfied",
        reason=reason,
        layer=package.layer,
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
        reason=_kept_reason(problem, package, cause, kept),
        blocked_by=_blocked_by(problem, package, cause),
        loosen=loosen,
        loosen_frees=frees,
        layer=package.layer,
    )


def _kept_reason(
    problem: Problem,
    package: RuntimePackage,
    cause: Cause,
    kept: Mapping[NormalizedName, Cause],
) -> str:
    """Return the sentence for a kept distribution."""
    if cause.edges:
        return failing(problem, package, cause.edges)
    if cause.need is not None:
        return missed(problem, package, cause.need, kept)
    if cause.neighbour is not None:
        return (
            f"{package.name} goes with {cause.neighbour}, which is bundled: AWS calls a package "
            "of the runtime with a bundled dependency not compatible"
        )
    return f"the policy for {package.name} is `never`"


def _blocked_by(problem: Problem, package: RuntimePackage, cause: Cause) -> str | None:
    """Return the requirements that fail, each with its origin."""
    if cause.edges:
        return ", ".join(named(edge) for edge in cause.edges)
    if cause.need is not None:
        return f"`{written(cause.need)}` ({own_copy(problem, package)})"
    return None


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
    """Find what shadows something that a package of the runtime, or of a layer, needs otherwise.

    Only packages that stay in use count: of the runtime those that are not bundled, of a layer
    those that the project asks for.
    """
    versions = problem.graph.versions
    bundled = set(versions) - (set(problem.candidates) - set(kept))
    conflicts = []
    for name in sorted(problem.catalog.packages.keys() - bundled):
        package = problem.package(name)
        if package.layer and name not in versions:
            continue
        for need in broken_needs(problem, name, kept):
            other = canonicalize_name(need.name)
            provider = problem.catalog.packages.get(other)
            layer = "" if provider is None or other in bundled else provider.layer
            version = versions.get(other) if not layer or provider is None else provider.version
            if version is None:
                continue
            conflict = Conflict(
                name=other,
                bundled=version,
                needed_by=own_copy(problem, package),
                requirement=written(need),
                advice=f"bundle it with `{other}` as `never` in `subtract`"
                if layer
                else _advice(problem, package, need, kept.get(other)),
                layer=layer,
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
