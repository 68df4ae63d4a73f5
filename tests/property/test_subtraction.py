"""The subtraction against its definition, on small random worlds.

The oracle tries all subsets of the candidates: the subtraction must be the largest valid one.
"""

from dataclasses import replace
from itertools import chain, combinations
from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version
from support.intensity import examples

from packager.model.runtime_catalog import POLICIES, Policy, RuntimeCatalog, RuntimePackage
from packager.model.selection import Edge, Graph
from packager.runtime.subtraction import subtract

NAMES = [canonicalize_name(letter) for letter in "abcdefgh"]
VERSIONS = ["1", "2", "3"]
SPECIFIERS = ["", "", "", ">=1", ">=2", ">=3", "<2", "<3", "==1", "==2", "!=2"]


class World(NamedTuple):
    graph: Graph
    catalog: RuntimeCatalog
    policies: dict[str, Policy]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    selected = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True))
    provided = draw(st.lists(st.sampled_from(NAMES), max_size=6, unique=True))
    requirement = st.builds(
        lambda name, specifier: Requirement(f"{name}{specifier}"),
        st.sampled_from(NAMES),
        st.sampled_from(SPECIFIERS),
    )
    parents = st.one_of(st.none(), st.sampled_from(selected))
    edges = [
        Edge(parent=parent, requirement=each, origin=f"origin of {parent}")
        for parent, each in draw(st.lists(st.tuples(parents, requirement), max_size=12))
        if canonicalize_name(each.name) in selected
    ]
    packages = {
        name: RuntimePackage(
            name=name,
            version=draw(st.one_of(st.none(), st.sampled_from(VERSIONS).map(Version))),
            group=draw(st.sampled_from(["one", "two"])),
            date="2026-11-23",
            source="drawn",
            requires=tuple(draw(st.lists(requirement, max_size=2))),
            subtractable=draw(st.sampled_from([True, True, True, False])),
        )
        for name in provided
    }
    versions = {name: Version(draw(st.sampled_from(VERSIONS))) for name in selected}
    policies = draw(
        st.dictionaries(st.sampled_from([*NAMES, "*"]), st.sampled_from(POLICIES), max_size=2)
    )
    return World(
        Graph(versions=versions, edges=tuple(edges)),
        RuntimeCatalog(
            runtime="python3.13",
            packages=packages,
            date="2026-11-23",
            source="drawn",
            complete=True,
        ),
        dict(policies),
    )


def _policy(world: World, name: NormalizedName) -> Policy:
    return world.policies.get(name, world.policies.get("*", "compatible"))


def _accepts(requirement: Requirement, version: Version | None) -> bool:
    if version is None:
        return not requirement.specifier
    return requirement.specifier.contains(version, prereleases=True)


def _candidates(world: World) -> set[NormalizedName]:
    packages = world.catalog.packages
    return {
        name for name in world.graph.versions if name in packages and packages[name].subtractable
    }


def _joined(world: World, one: NormalizedName, other: NormalizedName) -> bool:
    """Whether two candidates of one group depend on each other, directly."""
    packages = world.catalog.packages
    if packages[one].group != packages[other].group:
        return False
    pairs = {(edge.parent, canonicalize_name(edge.requirement.name)) for edge in world.graph.edges}
    for name in (one, other):
        pairs |= {(name, canonicalize_name(need.name)) for need in packages[name].requires}
    return (one, other) in pairs or (other, one) in pairs


def _components(world: World) -> dict[NormalizedName, set[NormalizedName]]:
    """Each candidate with all that is joined to it, directly or through others."""
    component = {name: {name} for name in _candidates(world)}
    for one, other in combinations(sorted(component), 2):
        if _joined(world, one, other):
            merged = component[one] | component[other]
            component |= dict.fromkeys(merged, merged)
    return component


def _breaks(world: World, name: NormalizedName, bundled: set[NormalizedName]) -> bool:
    """Whether a requirement that holds at run time fails when `name` is left out."""
    packages = world.catalog.packages
    for edge in world.graph.edges:
        counts = edge.parent is None or edge.parent in bundled
        onto = canonicalize_name(edge.requirement.name) == name
        if onto and counts and not _accepts(edge.requirement, packages[name].version):
            return True
    for need in packages[name].requires:
        other = canonicalize_name(need.name)
        outside = other not in packages or packages[other].group != packages[name].group
        if other in bundled and outside and not _accepts(need, world.graph.versions[other]):
            return True
    return False


def _valid(world: World, absent: set[NormalizedName]) -> bool:
    """The definition: may exactly `absent` be left out?"""
    bundled = set(world.graph.versions) - absent
    components = _components(world)
    for name in absent:
        policy = _policy(world, name)
        if policy == "always":
            continue
        if policy == "never" or components[name] - absent or _breaks(world, name, bundled):
            return False
    return all(_policy(world, name) != "always" for name in _candidates(world) - absent)


def _subtracted(world: World) -> frozenset[NormalizedName]:
    return subtract(world.graph, world.catalog, policies=world.policies, environment={}).subtracted


@settings(max_examples=examples(200), deadline=None)
@given(worlds())
def test_it_is_the_greatest_valid_set(world: World) -> None:
    candidates = sorted(_candidates(world))
    subsets = chain.from_iterable(
        combinations(candidates, count) for count in range(len(candidates) + 1)
    )
    valid = [frozenset(subset) for subset in subsets if _valid(world, set(subset))]
    greatest = frozenset[NormalizedName]().union(*valid)
    assert greatest in valid
    assert _subtracted(world) == greatest


@settings(max_examples=examples(80), deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_plays_no_part(world: World, random: Random) -> None:
    versions, edges = list(world.graph.versions.items()), list(world.graph.edges)
    packages = list(world.catalog.packages.items())
    for items in (versions, edges, packages):
        random.shuffle(items)
    graph = Graph(versions=dict(versions), edges=tuple(edges))
    catalog = replace(world.catalog, packages=dict(packages))
    straight = subtract(world.graph, world.catalog, policies=world.policies, environment={})
    assert subtract(graph, catalog, policies=world.policies, environment={}) == straight


@settings(max_examples=examples(80), deadline=None)
@given(worlds())
def test_following_the_advice_frees_what_it_promises(world: World) -> None:
    result = subtract(world.graph, world.catalog, policies=world.policies, environment={})
    for decision in result.decisions:
        assert decision.reason
        if decision.loosen is None:
            assert decision.loosen_frees == ()
            continue
        assert decision.name in decision.loosen_frees
        assert set(decision.loosen_frees).isdisjoint(result.subtracted)
        written = [Requirement(text) for text in decision.loosen.split(", ")]
        changed = {canonicalize_name(requirement.name) for requirement in written}
        # Every failing requirement of the project on these names is written anew as advised.
        edges = [
            edge
            for edge in world.graph.edges
            if edge.parent is not None
            or canonicalize_name(edge.requirement.name) not in changed
            or _accepts(
                edge.requirement,
                world.catalog.packages[canonicalize_name(edge.requirement.name)].version,
            )
        ]
        edges += [Edge(parent=None, requirement=each, origin="advice") for each in written]
        graph = Graph(versions=world.graph.versions, edges=tuple(edges))
        now = _subtracted(World(graph, world.catalog, world.policies))
        assert now - result.subtracted == set(decision.loosen_frees)
