import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dependencies import graph
from support.fixture_wheels import CHECKOUT

from packager.measure.shares import dominators, reachable, requires_of, retained, shares

CASES = json.loads((CHECKOUT / "tests/cases/shares/graphs.json").read_text())
FIGURES = {name: (n + 1, 1000 * 2**n, 7 * 2**n) for n, name in enumerate("abcdef")}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_what_leaves_with_a_distribution(case: dict[str, Any]) -> None:
    dependencies = graph(case["requires"], gone=case.get("gone", []))
    found = {share.name: share for share in shares(dependencies, FIGURES)}
    assert found.keys() == case["retained"].keys()
    for name, leaving in case["retained"].items():
        share = found[name]
        assert (share.entries, share.compressed_bytes, share.uncompressed_bytes) == FIGURES[name]
        assert share.retained_compressed_bytes == sum(FIGURES[n][1] for n in leaving), name
        assert share.retained_uncompressed_bytes == sum(FIGURES[n][2] for n in leaving), name


def test_the_largest_comes_first_and_names_break_ties() -> None:
    dependencies = graph({"": ["a", "b", "c"]})
    figures = {"a": (1, 9, 5), "b": (1, 1, 8), "c": (1, 5, 5)}
    assert [share.name for share in shares(dependencies, figures)] == ["b", "a", "c"]


NAMES = "abcdef"
GRAPHS = st.dictionaries(
    st.sampled_from(["", *NAMES]), st.lists(st.sampled_from(NAMES), unique=True, max_size=4)
)


def closed(name: str, roots: list[str], edges: dict[str, list[str]]) -> bool:
    """Whether a path leads from the roots to `name`: by squaring the relation, not by a walk."""
    found = set(roots)
    for _ in edges:
        found |= {child for parent in found for child in edges[parent]}
    return name in found


@given(GRAPHS)
def test_retained_agrees_with_taking_the_distribution_out(requires: dict[str, list[str]]) -> None:
    roots, edges = requires_of(graph(requires))
    for name in edges:
        rest = {
            parent: [child for child in children if child != name]
            for parent, children in edges.items()
            if parent != name
        }
        left = {
            other for other in rest if closed(other, [root for root in roots if root != name], rest)
        }
        assert retained(name, roots, edges) == edges.keys() - left
    above = dominators(roots, edges)
    for name in edges:
        below = {name}
        for other, nearest in above.items():
            if nearest in below:
                below.add(other)
        assert below == retained(name, roots, edges)
    assert reachable(roots, edges) == edges.keys()


def test_long_chains_and_thousands_of_distributions() -> None:
    names = [f"d{number}" for number in range(3000)]
    requires = {name: [following] for name, following in pairwise(names)}
    above = dominators([names[0]], requires)
    assert above == {names[0]: "", **{following: name for name, following in pairwise(names)}}
