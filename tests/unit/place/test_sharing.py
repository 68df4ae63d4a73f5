"""Layers across functions: against brute force and an independent solver."""

import itertools
import random

import pytest

from packager.model.sharing import Consumer, Shared, Sharing
from packager.place import sharing
from packager.place.selection import Candidate, Selected, select
from packager.place.sharing import share_layers


def project(seed: int, functions: int, distributions: int) -> tuple[list[Consumer], list[Shared]]:
    """Functions that each need some of the distributions."""
    chance = random.Random(seed)  # noqa: S311 -- no secret
    names = [f"f{n}" for n in range(functions)]
    shared = [
        Shared(
            f"d{n}",
            "1.0",
            uncompressed_bytes=3 * (packed := int(chance.lognormvariate(13, 1.5))),
            compressed_bytes=packed,
            users=frozenset(chance.sample(names, chance.randint(2, max(2, functions * 2 // 3)))),
            changes_per_month=chance.choice((0.5, 1.0, 4.0)),
        )
        for n in range(distributions)
    ]
    consumers = [
        Consumer(
            name,
            chance.choice((2.0, 8.0, 20.0)),
            10_000 + sum(each.compressed_bytes for each in shared if name in each.users),
            20_000 + sum(each.uncompressed_bytes for each in shared if name in each.users),
        )
        for name in names
    ]
    return consumers, shared


def check(found: Sharing, consumers: list[Consumer], shared: list[Shared]) -> None:
    """Nobody has more than five layers, anything twice, or anything it does not need."""
    users = {each.name: each.users for each in shared}
    for consumer in consumers:
        attached = [layer for layer in found.layers if consumer.name in layer.functions]
        assert len(attached) <= 5
        held = [name for layer in attached for name in layer.distributions]
        assert len(held) == len(set(held))
        assert all(consumer.name in users[name] for name in held)


def test_the_upload_is_that_of_brute_force() -> None:
    for seed in range(6):
        consumers, shared = project(seed, 4, 4)
        found = share_layers(consumers, shared, most_layers=2)
        groups = sharing._groups(shared)
        possible = sharing._possible(groups)
        best = None
        for count in range(len(possible) + 1):
            for taken in itertools.combinations(possible, count):
                layers = sharing._named(taken)
                held = [
                    (user, name)
                    for layer in layers
                    for user in layer.functions
                    for name in layer.distributions
                ]
                counts = [sum(c.name in layer.functions for layer in layers) for c in consumers]
                if len(held) == len(set(held)) and max(counts, default=0) <= 2:
                    uploaded = sharing._traffic(consumers, layers).uploaded_bytes
                    best = uploaded if best is None else min(best, uploaded)
        assert found.after.uploaded_bytes == best
        assert found.proved


def test_thirty_functions_with_sixty_distributions() -> None:
    pytest.importorskip("highspy")
    consumers, shared = project(3, 30, 60)
    found = share_layers(consumers, shared, most_layers=5)
    check(found, consumers, shared)
    assert found.proved
    assert found.after.uploaded_bytes < found.before.uploaded_bytes
    assert found.after.stored_bytes < found.before.stored_bytes


def test_both_solvers_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("highspy")
    compared = 0
    for seed in range(12):
        consumers, shared = project(seed, 8, 9)
        found = share_layers(consumers, shared, most_layers=3)
        with monkeypatch.context() as patched:
            patched.setattr(sharing, "solve", _own)
            own = share_layers(consumers, shared, most_layers=3)
        if own.proved:
            assert own.after.uploaded_bytes == found.after.uploaded_bytes, seed
            compared += 1
    assert compared >= 8


def _own(candidates: list[Candidate], limits: list[int]) -> Selected | None:
    return select(candidates, limits)


def test_what_changes_often_does_not_drag_the_rest_along() -> None:
    shared = [
        Shared("stable", "1", 300, 100_000_000, frozenset({"a", "b"}), 0.1),
        Shared("busy", "1", 300, 100_000_000, frozenset({"a", "b"}), 30.0),
    ]
    consumers = [Consumer(name, 4.0, 200_000_000, 600) for name in ("a", "b")]
    found = share_layers(consumers, shared, most_layers=5)
    assert [layer.distributions for layer in found.layers] == [("stable",)]


def test_layers_that_are_attached_already_take_places() -> None:
    shared = [Shared("d", "1", 300, 100_000, frozenset({"a", "b"}), 1.0)]
    consumers = [Consumer(name, 4.0, 200_000, 600, attached_layers=5) for name in ("a", "b")]
    assert share_layers(consumers, shared, most_layers=5).layers == ()


def test_the_order_of_what_comes_in_does_not_matter() -> None:
    consumers, shared = project(5, 10, 15)
    forwards = share_layers(consumers, shared, most_layers=5)
    backwards = share_layers(consumers[::-1], shared[::-1], most_layers=5)
    assert forwards == backwards
