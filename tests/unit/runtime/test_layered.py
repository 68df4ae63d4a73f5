"""What layers change in a runtime's catalog, and how the subtraction speaks of them."""

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from packager.model.layer import ForeignLayer, Provided
from packager.model.runtime_catalog import RuntimeCatalog, RuntimePackage, Subtraction
from packager.model.selection import Edge, Graph
from packager.runtime.layered import with_layers
from packager.runtime.subtraction import subtract

SIX = canonicalize_name("six")
OWN = RuntimePackage(name=SIX, version=Version("1.15"), group="sdk", date="2026-01-02", source="s")
CATALOG = RuntimeCatalog(
    runtime="python3.13", packages={SIX: OWN}, date="2026-01-01", source="aws", complete=True
)


def layer(name: str, *provided: Provided) -> ForeignLayer:
    return ForeignLayer(name, None, "python", "0" * 64, 1, 1, 1, provided)


def subtracted(catalog: RuntimeCatalog, *texts: str, **versions: str) -> Subtraction:
    edges = tuple(
        Edge(parent=None, requirement=Requirement(text), origin="requirements.txt")
        for text in texts
    )
    selected = {canonicalize_name(name): Version(text) for name, text in versions.items()}
    graph = Graph(versions=selected, edges=edges)
    return subtract(graph, catalog, policies={}, environment={"python_version": "3.13"})


def test_layers_come_before_the_runtime_and_later_ones_before_earlier_ones() -> None:
    first = layer("base", Provided("My.Lib", "1.0", ("six>=1.16", "tomli")), Provided("six", "2.0"))
    second = layer("top", Provided("six", "3.0"))
    found = with_layers(CATALOG, [first, second])
    assert found.packages["my-lib"] == RuntimePackage(  # type: ignore[index]  # normalized
        name=canonicalize_name("my-lib"),
        version=Version("1.0"),
        group="layer base my-lib",
        date="2026-01-01",
        source="layer base",
        requires=(Requirement("six>=1.16"), Requirement("tomli")),
        layer="base",
    )
    assert (found.packages[SIX].version, found.packages[SIX].layer) == (Version("3.0"), "top")
    assert found.packages[SIX].group == "layer top six"
    assert (found.runtime, found.complete, len(found.packages)) == ("python3.13", True, 2)
    assert CATALOG.packages == {SIX: OWN}
    assert with_layers(CATALOG, []) == CATALOG


def test_a_decision_names_the_layer_and_both_versions() -> None:
    catalog = with_layers(CATALOG, [layer("base", Provided("six", "2.0"))])
    (decision,) = subtracted(catalog, "six<3", six="2.1").decisions
    assert decision.outcome == "subtracted"
    assert decision.layer == "base"
    assert (decision.version, decision.runtime_version) == (Version("2.1"), Version("2.0"))
    assert decision.reason == (
        "six 2.0 is in the layer `base` and satisfies `six<3` (requirements.txt)"
    )


def test_the_runtime_s_own_is_told_with_its_date_and_its_end() -> None:
    (decision,) = subtracted(CATALOG, "six>1,<2", six="1.16").decisions
    assert decision.reason == (
        "six 1.15 is in python3.13 (seen 2026-01-02) and satisfies `six>1,<2` (requirements.txt), "
        "until AWS moves past `six>1,<2` (requirements.txt)"
    )
    (open_ended,) = subtracted(CATALOG, "six>1", six="1.16").decisions
    assert open_ended.reason.endswith("satisfies `six>1` (requirements.txt)")


def test_a_layer_s_distribution_that_is_kept_names_the_layer() -> None:
    catalog = with_layers(CATALOG, [layer("base", Provided("six", "2.0"))])
    (decision,) = subtracted(catalog, "six>=3", six="3.1").decisions
    assert (decision.outcome, decision.code, decision.layer) == ("kept", "requirement", "base")
    assert decision.loosen == "six>=2.0"


@pytest.mark.parametrize(
    ("need", "rest"),
    [
        ("six>=1.16", "and six 1.15 is in python3.13"),
        ("tomli", "which neither the layer nor python3.13 has"),
    ],
)
def test_what_a_layer_s_distribution_misses_is_told(need: str, rest: str) -> None:
    catalog = with_layers(CATALOG, [layer("base", Provided("my-lib", "1.0", (need,)))])
    (decision,) = subtracted(catalog, "my-lib", **{"my-lib": "1.0"}).decisions
    assert (decision.outcome, decision.blocked_by) == (
        "kept",
        f"`{need}` (my-lib 1.0 of the layer `base`)",
    )
    assert decision.reason == f"my-lib 1.0 of the layer `base` needs `{need}`, {rest}"
