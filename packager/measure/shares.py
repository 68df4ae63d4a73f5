"""Shallow and retained bytes of every distribution. Pure."""

from collections.abc import Iterable, Mapping

from packager.model.build import Share
from packager.model.payload import Dependencies

ROOT = ""
"""Stands for the project in a graph of distributions."""


def reachable(
    roots: Iterable[str], requires: Mapping[str, Iterable[str]], *, without: str | None = None
) -> set[str]:
    """Return all names reached from `roots` over `requires`, never entering `without`."""
    seen: set[str] = set()
    waiting = [name for name in roots if name != without]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting.extend(n for n in requires.get(name, ()) if n != without and n not in seen)
    return seen


def requires_of(dependencies: Dependencies) -> tuple[list[str], dict[str, list[str]]]:
    """Return the roots (what the project declares) and who requires whom, of what ships."""
    shipped = {distribution.name for distribution in dependencies.shipped}
    roots: list[str] = []
    requires: dict[str, list[str]] = {name: [] for name in shipped}
    for distribution in dependencies.shipped:
        for edge in distribution.required_by:
            if not edge.parent:
                roots.append(distribution.name)
            elif edge.parent in shipped:
                requires[edge.parent].append(distribution.name)
    # A distribution that only subtracted ones require would be lost from the walk: it ships
    # because something made it ship, so it counts as a root.
    found = reachable(roots, requires)
    roots.extend(sorted(shipped - found))
    return roots, requires


def retained(name: str, roots: Iterable[str], requires: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the names that leave with `name`, itself included."""
    roots = list(roots)
    return reachable(roots, requires) - reachable(roots, requires, without=name)


def dominators(roots: Iterable[str], requires: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return for every name, in an order that puts it behind it, whose leaving takes it along.

    The nearest such name, or `ROOT` when only it goes itself: the dominator tree, by Cooper,
    Harvey and Kennedy, "A Simple, Fast Dominance Algorithm", 2001. What a name retains is
    everything below it in this tree.
    """
    order = _postorder(roots, requires)
    place = {name: number for number, name in enumerate(order)}
    parents: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for child in roots if name == ROOT else requires.get(name, ()):
            parents[child].append(name)
    above = {ROOT: ROOT}
    changed = True
    while changed:
        changed = False
        for name in reversed(order[:-1]):
            known = [parent for parent in parents[name] if parent in above]
            nearest = known[0]
            for other in known[1:]:
                nearest = _meeting(nearest, other, above, place)
            if above.get(name) != nearest:
                above[name], changed = nearest, True
    return {name: above[name] for name in reversed(order[:-1])}


def _postorder(roots: Iterable[str], requires: Mapping[str, Iterable[str]]) -> list[str]:
    """Return all names that are reached, each behind what it requires; `ROOT` is the last."""
    order: list[str] = []
    seen = {ROOT}
    waiting = [(ROOT, iter(list(roots)))]
    while waiting:
        name, children = waiting[-1]
        child = next((child for child in children if child not in seen), None)
        if child is None:
            order.append(name)
            waiting.pop()
        else:
            seen.add(child)
            waiting.append((child, iter(list(requires.get(child, ())))))
    return order


def _meeting(one: str, two: str, above: Mapping[str, str], place: Mapping[str, int]) -> str:
    while one != two:
        while place[one] < place[two]:
            one = above[one]
        while place[two] < place[one]:
            two = above[two]
    return one


def shares(
    dependencies: Dependencies, measured: Mapping[str, tuple[int, int, int]]
) -> tuple[Share, ...]:
    """Return one share per shipped distribution, the largest uncompressed first.

    `measured` maps a name to (entries, compressed bytes, uncompressed bytes) in the artifact.
    """
    above = dominators(*requires_of(dependencies))
    compressed = {name: measured[name][1] for name in above}
    uncompressed = {name: measured[name][2] for name in above}
    for name in reversed(above):
        if above[name] != ROOT:
            compressed[above[name]] += compressed[name]
            uncompressed[above[name]] += uncompressed[name]
    result = []
    for distribution in dependencies.shipped:
        name = distribution.name
        result.append(
            Share(
                name,
                distribution.version,
                *measured[name],
                retained_compressed_bytes=compressed[name],
                retained_uncompressed_bytes=uncompressed[name],
            )
        )
    return tuple(sorted(result, key=lambda share: (-share.uncompressed_bytes, share.name)))
