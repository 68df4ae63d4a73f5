"""Shallow and retained bytes of every distribution. Pure."""

from collections.abc import Iterable, Mapping

from packager.model.build import Share
from packager.model.payload import Dependencies


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


def shares(
    dependencies: Dependencies, measured: Mapping[str, tuple[int, int, int]]
) -> tuple[Share, ...]:
    """Return one share per shipped distribution, the largest uncompressed first.

    `measured` maps a name to (entries, compressed bytes, uncompressed bytes) in the artifact.
    """
    roots, requires = requires_of(dependencies)
    result = []
    for distribution in dependencies.shipped:
        leaving = retained(distribution.name, roots, requires)
        entries, compressed, uncompressed = measured[distribution.name]
        result.append(
            Share(
                name=distribution.name,
                version=distribution.version,
                entries=entries,
                compressed_bytes=compressed,
                uncompressed_bytes=uncompressed,
                retained_compressed_bytes=sum(measured[n][1] for n in leaving),
                retained_uncompressed_bytes=sum(measured[n][2] for n in leaving),
            )
        )
    return tuple(sorted(result, key=lambda share: (-share.uncompressed_bytes, share.name)))
