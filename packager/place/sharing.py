"""Layers across the functions of a project: who shares what, how often it changes. Pure.

A layer here wastes nothing: every function that attaches it needs all of it. Then function and
layers together weigh what the function alone weighed, so that the 250 MiB decide nothing, and
what is left is a choice: which of the possible layers, at most five for a function, none holding
what another of the same function holds.

Distributions that the same functions need and that change equally often stay together. The
possible layers are, for each such group, the group with all that it requires, because that is what
a layer takes along, and everything that all its functions need (in formal concept analysis: the
attribute concepts; Ganter and Wille, 1999).

Objective: the bytes uploaded in a month. Every deployment of a function uploads its zip; every
change of a layer uploads the layer once.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from packager.model.sharing import Consumer, Shared, SharedLayer, Sharing, Traffic
from packager.place.selection import Candidate
from packager.place.solving import solve


class _Group(NamedTuple):
    members: tuple[Shared, ...]
    users: frozenset[str]


def share_layers(
    consumers: Sequence[Consumer], shared: Sequence[Shared], *, most_layers: int
) -> Sharing:
    """Choose the layers of a project; `most_layers` is for each function (AWS: 5)."""
    groups = _groups(shared)
    possible = _possible(groups)
    deployments = {consumer.name: consumer.deployments_per_month for consumer in consumers}
    rooms = {c.name: max(0, most_layers - c.attached_layers) for c in consumers}
    rows: dict[tuple[str, ...], int] = {}
    limits: list[int] = []
    candidates = []
    crowded = _crowded(possible)
    for layer in possible:
        uses = {}
        for user in sorted(layer.users):
            keys: list[tuple[tuple[str, ...], int]] = [((user,), rooms[user])]
            keys += [((user, m.name), 1) for m in layer.members if (user, m.name) in crowded]
            for key, limit in keys:
                if key not in rows:
                    rows[key] = len(limits)
                    limits.append(limit)
                uses[rows[key]] = 1
        candidates.append(Candidate(round(_gain(layer, deployments)), uses))
    found = solve(candidates, limits)
    taken = [possible[i] for i in found.taken] if found is not None else []
    layers = _named(taken)
    return Sharing(
        layers=layers,
        before=_traffic(consumers, ()),
        after=_traffic(consumers, layers),
        proved=found is not None and found.proved,
    )


def _groups(shared: Sequence[Shared]) -> list[_Group]:
    """Put together what the same functions need and what changes equally often."""
    grouped: dict[tuple[tuple[str, ...], float], list[Shared]] = {}
    for each in sorted(shared, key=lambda s: (s.name, s.version)):
        if len(each.users) > 1:
            key = (tuple(sorted(each.users)), each.changes_per_month)
            grouped.setdefault(key, []).append(each)
    return [_Group(tuple(members), frozenset(users)) for (users, _), members in grouped.items()]


def _possible(groups: Sequence[_Group]) -> list[_Group]:
    """Return the layers that can be chosen, each once, in an order that depends on names only."""
    found: dict[tuple[tuple[str, ...], frozenset[str]], _Group] = {}
    for group in groups:
        everything = [m for other in groups if other.users >= group.users for m in other.members]
        for members in (_required(group.members, everything), everything):
            ordered = tuple(sorted(members, key=lambda m: m.name))
            found[tuple(m.name for m in ordered), group.users] = _Group(ordered, group.users)
    return [found[key] for key in sorted(found, key=lambda k: (k[0], sorted(k[1])))]


def _required(members: Sequence[Shared], everything: Sequence[Shared]) -> list[Shared]:
    """Return `members` and what they require, directly or not."""
    known = {each.name: each for each in everything}
    found = dict.fromkeys(member.name for member in members)
    waiting = list(found)
    while waiting:
        for name in known[waiting.pop()].requires:
            if name in known and name not in found:
                found[name] = None
                waiting.append(name)
    return [known[name] for name in found]


def _crowded(possible: Sequence[_Group]) -> set[tuple[str, str]]:
    """Return the (function, distribution) pairs that more than one possible layer holds."""
    counts: dict[tuple[str, str], int] = {}
    for layer in possible:
        for user in layer.users:
            for member in layer.members:
                counts[user, member.name] = counts.get((user, member.name), 0) + 1
    return {pair for pair, count in counts.items() if count > 1}


def _gain(layer: _Group, deployments: Mapping[str, float]) -> float:
    """Return the bytes a month that the layer saves: uploads of zips less its own."""
    packed = sum(member.compressed_bytes for member in layer.members)
    changes = max(member.changes_per_month for member in layer.members)
    return packed * (sum(deployments[user] for user in layer.users) - changes)


def _named(layers: Sequence[_Group]) -> tuple[SharedLayer, ...]:
    names: set[str] = set()
    result = []
    for layer in sorted(layers, key=lambda each: [m.name for m in each.members]):
        base = max(layer.members, key=lambda m: (m.compressed_bytes, m.name)).name
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.add(name)
        result.append(
            SharedLayer(
                name=name,
                distributions=tuple(member.name for member in layer.members),
                functions=tuple(sorted(layer.users)),
                compressed_bytes=sum(member.compressed_bytes for member in layer.members),
                uncompressed_bytes=sum(member.uncompressed_bytes for member in layer.members),
                changes_per_month=max(member.changes_per_month for member in layer.members),
            )
        )
    return tuple(result)


def _traffic(consumers: Sequence[Consumer], layers: Sequence[SharedLayer]) -> Traffic:
    uploaded, stored = 0.0, 0
    for consumer in consumers:
        attached = [layer for layer in layers if consumer.name in layer.functions]
        packed = consumer.compressed_bytes - sum(layer.compressed_bytes for layer in attached)
        uploaded += packed * consumer.deployments_per_month
        stored += consumer.uncompressed_bytes - sum(each.uncompressed_bytes for each in attached)
    for layer in layers:
        uploaded += layer.compressed_bytes * layer.changes_per_month
        stored += layer.uncompressed_bytes
    return Traffic(round(uploaded), stored)
