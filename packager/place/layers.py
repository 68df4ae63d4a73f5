"""Which distribution of which function goes into which layer. Pure.

A layer is shared by the functions that name it, and holds the union of what they ship of it: a
distribution that it names, what that requires, or everything. It is the same whichever of the
functions is built.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from packager.errors import CannotBuild, UsageError
from packager.model.layer import EVERYTHING, OwnLayer
from packager.model.payload import Dependencies, Distribution


class LayerUser(NamedTuple):
    """A function as far as layers go: its own layers in their order, and its dependencies."""

    name: str
    layers: tuple[OwnLayer, ...]
    dependencies: Dependencies


class FilledLayer(NamedTuple):
    """A layer with what it holds, ordered by name; `requires` is what each of them requires."""

    layer: OwnLayer
    distributions: tuple[Distribution, ...]
    requires: Mapping[str, tuple[str, ...]]


class Placement(NamedTuple):
    """The filled layers by name; and for each function where each distribution went (its layer).

    A distribution of a function that is in none of its layers goes into its zip.
    """

    layers: Mapping[str, FilledLayer]
    placed: Mapping[str, Mapping[str, str]]


def place(users: Sequence[LayerUser]) -> Placement:
    """Fill the layers of `users`.

    Raises UsageError for a named distribution that nobody ships, and CannotBuild where functions
    disagree about a distribution of a layer they share.
    """
    holders: dict[str, dict[str, tuple[LayerUser, Distribution]]] = {}
    settings = {layer.name: layer for user in users for layer in user.layers}
    for user in users:
        shipped = {each.name: each for each in user.dependencies.shipped}
        for name, claimant in _claims(user).items():
            held = holders.setdefault(claimant, {})
            _refuse_disagreement(claimant, held.get(name), (user, shipped[name]))
            held.setdefault(name, (user, shipped[name]))
    for layer in settings.values():
        _refuse_unknown(layer, holders.get(layer.name, {}), users)
    for user in users:
        for layer in user.layers:
            _refuse_shadows(layer.name, holders.get(layer.name, {}), user)
    requires = _requires(users)
    layers = {
        name: FilledLayer(
            layer,
            tuple(held[each][1] for each in sorted(held)),
            {each: requires.get(each, ()) for each in held},
        )
        for name, layer in settings.items()
        if (held := holders.get(name, {}))
    }
    return Placement(layers, {user.name: _placed(user, layers) for user in users})


def _claims(user: LayerUser) -> dict[str, str]:
    """Return for each distribution that one of the user's layers takes which one does.

    A layer that names it comes before one that needs it for what it names, and that before one
    that takes everything; among equals the first in the function's order.
    """
    claims: dict[str, str] = {}
    shipped = [each.name for each in user.dependencies.shipped]
    children = _children(user.dependencies)
    for layer in user.layers:
        for name in layer.distributions:
            if name in children:
                claims.setdefault(name, layer.name)
    named = dict(claims)
    for layer in user.layers:
        for name in _reached([n for n, of in named.items() if of == layer.name], children):
            claims.setdefault(name, layer.name)
    for layer in user.layers:
        if EVERYTHING in layer.distributions:
            for name in shipped:
                claims.setdefault(name, layer.name)
    return _without_offloaded(claims, named, user)


def _without_offloaded(
    claims: dict[str, str], named: Mapping[str, str], user: LayerUser
) -> dict[str, str]:
    """Leave to /tmp what arrives there; raises UsageError when a layer names it all the same."""
    offloaded = {each.name for each in user.dependencies.shipped if each.offloaded is not None}
    for name in sorted(offloaded & named.keys()):
        raise UsageError(
            f"`{user.name}` offloads {name}, and the layer `{named[name]}` names it",
            hint="take it out of `offload`, or off the layer",
        )
    return {name: layer for name, layer in claims.items() if name not in offloaded}


def _children(dependencies: Dependencies) -> dict[str, list[str]]:
    """Return what each distribution that ships requires of what ships."""
    children: dict[str, list[str]] = {each.name: [] for each in dependencies.shipped}
    for each in dependencies.shipped:
        for edge in each.required_by:
            if edge.parent in children:
                children[edge.parent].append(each.name)
    return children


def _reached(roots: Iterable[str], children: Mapping[str, Sequence[str]]) -> list[str]:
    reached = dict.fromkeys(roots)
    waiting = list(reached)
    while waiting:
        for child in children[waiting.pop()]:
            if child not in reached:
                reached[child] = None
                waiting.append(child)
    return list(reached)


def _refuse_disagreement(
    layer: str,
    known: tuple[LayerUser, Distribution] | None,
    other: tuple[LayerUser, Distribution],
) -> None:
    """Raise CannotBuild when two functions want different bytes of one distribution in `layer`."""
    if known is None:
        return
    (one, first), (two, second) = known, other
    if first.version != second.version or first.wheel_sha256 != second.wheel_sha256:
        raise CannotBuild(
            f"the layer `{layer}` cannot hold {first.name} {first.version} for `{one.name}` and "
            f"{second.name} {second.version} for `{two.name}`",
            hint=f"require one version of {first.name} in both, or give one a layer of its own",
        )
    if [each.key for each in first.payloads] != [each.key for each in second.payloads]:
        raise CannotBuild(
            f"the layer `{layer}` cannot hold {first.name} {first.version} twice: `{one.name}` "
            f"and `{two.name}` slim it, or compile it, differently",
            hint="set slim, keep, drop, services, strip, release and bytecode in [tool.lpack], "
            "for all functions",
        )


def _refuse_unknown(
    layer: OwnLayer, held: Mapping[str, object], users: Sequence[LayerUser]
) -> None:
    """Raise UsageError for a name in the settings of `layer` that no function of it ships."""
    using = [user for user in users if layer in user.layers]
    selected = {each.name: each for user in using for each in user.dependencies.distributions}
    shipped = {each.name for user in using for each in user.dependencies.shipped}
    for name in layer.distributions:
        if name == EVERYTHING or name in held or name in shipped:
            continue
        if name in selected:
            raise UsageError(
                f"the layer `{layer.name}` names {name}, which does not ship: "
                f"{using[0].dependencies.target.runtime} or a layer has it",
                hint=f'subtract = {{ {name} = "never" }}, or take it off the layer',
            )
        near = get_close_matches(name, selected, 1)
        raise UsageError(
            f"the layer `{layer.name}` names {name}, which none of its functions requires "
            f"({', '.join(user.name for user in using)})",
            hint=f"did you mean `{near[0]}`?" if near else "take it off the layer",
        )


def _refuse_shadows(
    layer: str, held: Mapping[str, tuple[LayerUser, Distribution]], user: LayerUser
) -> None:
    """Raise CannotBuild when `layer` brings `user` another copy of what it has already.

    /opt comes before /var/runtime in `sys.path`, so a copy that another function needs would
    take the place of the runtime's, which this function was found to work with.
    """
    for each in user.dependencies.distributions:
        if each.name not in held:
            continue
        other, theirs = held[each.name]
        if not each.subtracted:
            _refuse_disagreement(layer, (other, theirs), (user, each))
        else:
            raise CannotBuild(
                f"the layer `{layer}` has {theirs.name} {theirs.version} for `{other.name}`, and "
                f"`{user.name}` leaves it out because {user.dependencies.target.runtime} has it",
                hint=f'subtract = {{ {each.name} = "never" }} for both, '
                "or give one a layer of its own",
            )


def _placed(user: LayerUser, layers: Mapping[str, FilledLayer]) -> dict[str, str]:
    placed: dict[str, str] = {}
    names = {each.name for each in user.dependencies.shipped}
    for layer in user.layers:
        filled = layers.get(layer.name)
        for each in filled.distributions if filled is not None else ():
            if each.name in names:
                placed.setdefault(each.name, layer.name)
    return placed


def _requires(users: Sequence[LayerUser]) -> dict[str, tuple[str, ...]]:
    """Return what every distribution requires on the target, as PEP 508 texts."""
    found: dict[str, set[str]] = {}
    for user in users:
        for each in user.dependencies.distributions:
            for edge in each.required_by:
                if edge.parent:
                    found.setdefault(edge.parent, set()).add(edge.requirement)
    return {name: tuple(sorted(texts)) for name, texts in found.items()}
