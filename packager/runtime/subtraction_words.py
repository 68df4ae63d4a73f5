"""The sentences of the subtraction: who asks for what, and who has which version. Pure."""

from collections.abc import Iterable, Mapping

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from packager.model.runtime_catalog import RuntimePackage
from packager.model.selection import Edge
from packager.runtime.fixed_point import Cause, Problem
from packager.runtime.loosening import has_upper_bound, written

_NAMED_AT_MOST = 2
"""How many requirements one sentence names."""


def failing(problem: Problem, package: RuntimePackage, edges: Iterable[Edge]) -> str:
    """Say which requirements the runtime's version fails."""
    named = list(edges)
    asks = [f"{edge.origin} asks for `{written(edge.requirement)}`" for edge in named]
    more = f" and {len(asks) - _NAMED_AT_MOST} more" if len(asks) > _NAMED_AT_MOST else ""
    text = " and ".join(asks[:_NAMED_AT_MOST]) + more
    if package.version is not None:
        return f"{text}, {_where(problem, package)} has {package.version}"
    return (
        f"{text}, and the version in {problem.catalog.runtime} is not known "
        "(`lpack runtime capture` finds it out)"
    )


def missed(
    problem: Problem,
    package: RuntimePackage,
    need: Requirement,
    kept: Mapping[NormalizedName, Cause],
) -> str:
    """Say what the runtime's own copy, or a layer's, misses among what the function finds."""
    other = canonicalize_name(need.name)
    found = f"{own_copy(problem, package)} needs `{written(need)}`"
    if _is_bundled(problem, other, kept):
        return f"{found}, and {other} {problem.graph.versions[other]} is bundled"
    provider = problem.catalog.packages.get(other)
    if provider is None:
        return f"{found}, which neither the layer nor {problem.catalog.runtime} has"
    return f"{found}, and {other} {provider.version} is in {_where(problem, provider)}"


def satisfied(problem: Problem, package: RuntimePackage, counting: list[Edge]) -> str:
    """Say that the runtime's version, or a layer's, will do, and where that may end."""
    runtime, where = problem.catalog.runtime, _where(problem, package)
    if package.version is None:
        text = f"{package.name} is in {runtime} (version not known)"
        asked = "is not asked for in any version"
    else:
        seen = "captured" if problem.catalog.captured else "seen"
        text = f"{package.name} {package.version} is in {where}"
        text += "" if package.layer else f" ({seen} {package.date})"
        asked = f"satisfies {_listed(counting)}"
    if not counting:
        return f"{text} and only what {where} also has asks for it"
    # A layer's version only moves when its user moves it.
    bounded = [each for each in counting if has_upper_bound(each.requirement) and not package.layer]
    until = f", until AWS moves past {named(bounded[0])}" if bounded else ""
    return f"{text} and {asked}{until}"


def _where(problem: Problem, package: RuntimePackage) -> str:
    """Name who has the package: a layer, or the runtime."""
    return f"the layer `{package.layer}`" if package.layer else problem.catalog.runtime


def _is_bundled(
    problem: Problem, name: NormalizedName, kept: Mapping[NormalizedName, Cause]
) -> bool:
    """Tell whether `name` ships, candidate or not."""
    return name in problem.graph.versions and (name not in problem.candidates or name in kept)


def _listed(edges: list[Edge]) -> str:
    """Name the first requirements, and how many more there are."""
    more = f" and {len(edges) - _NAMED_AT_MOST} more" if len(edges) > _NAMED_AT_MOST else ""
    return ", ".join(named(edge) for edge in edges[:_NAMED_AT_MOST]) + more


def named(edge: Edge) -> str:
    """Return a requirement with its origin."""
    return f"`{written(edge.requirement)}` ({edge.origin})"


def own_copy(problem: Problem, package: RuntimePackage) -> str:
    """Name the runtime's own copy, or a layer's: `boto3 1.42.97 of python3.13`."""
    version = f" {package.version}" if package.version is not None else ""
    return f"{package.name}{version} of {_where(problem, package)}"
