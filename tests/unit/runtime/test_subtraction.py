"""The table of `tests/cases/subtract`: one file, one case."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from packager.model.runtime_catalog import RuntimeCatalog, RuntimePackage, Subtraction
from packager.model.selection import Edge, Graph
from packager.runtime.catalog import load_catalog
from packager.runtime.fixed_point import certainly_kept
from packager.runtime.subtraction import subtract
from packager.runtime.targets import load_target

CASES = Path(__file__).parents[2] / "cases" / "subtract"


def _load(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return tomllib.load(stream)


def _catalog(case: dict[str, Any]) -> RuntimeCatalog:
    if "catalog" not in case:
        return load_catalog(case["runtime"])
    packages = [
        RuntimePackage(
            name=canonicalize_name(name),
            version=Version(facts["version"]) if "version" in facts else None,
            group=facts["group"],
            date="2026-11-23",
            source="the case",
            requires=tuple(Requirement(text) for text in facts.get("requires", ())),
            subtractable=facts.get("subtractable", True),
        )
        for name, facts in case["catalog"].items()
    ]
    return RuntimeCatalog(
        runtime=case["runtime"],
        packages={package.name: package for package in packages},
        date="2026-11-23",
        source="the case",
        complete=True,
        captured=case.get("captured", False),
    )


def _graph(case: dict[str, Any]) -> Graph:
    base = _load(CASES / "graphs" / f"{case['graph']}.toml") if "graph" in case else {}
    selected = base.get("selected", {}) | case.get("selected", {})
    requires = base.get("requires", {}) | case.get("requires", {})
    origin = case.get("origin", "requirements.txt")
    edges = [
        Edge(parent=None, requirement=Requirement(text), origin=origin) for text in case["project"]
    ]
    edges += [
        Edge(
            parent=canonicalize_name(parent),
            requirement=Requirement(text),
            origin=f"{parent} {selected[parent]}",
        )
        for parent, texts in requires.items()
        for text in texts
    ]
    versions = {canonicalize_name(name): Version(text) for name, text in selected.items()}
    return Graph(versions=versions, edges=tuple(edges))


def _subtract(case: dict[str, Any]) -> Subtraction:
    return subtract(
        _graph(case),
        _catalog(case),
        policies=case.get("policies", {}),
        environment=load_target(case["runtime"], "x86_64").marker_environment,
    )


@pytest.mark.parametrize("path", sorted(CASES.glob("*.toml")), ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = _load(path)
    result = _subtract(case)
    decisions = {decision.name: decision for decision in result.decisions}
    assert {name: f"{d.outcome} {d.code}" for name, d in decisions.items()} == case["expected"]
    assert list(decisions) == sorted(decisions)
    assert [
        f"{each.name} {each.bundled} | {each.needed_by} | {each.requirement} | {each.advice}"
        for each in result.conflicts
    ] == case.get("conflicts", [])
    for field in ("reason", "blocked_by", "loosen"):
        for name, text in case.get(field, {}).items():
            value = getattr(decisions[canonicalize_name(name)], field)
            assert value == (text or None), f"{field} of {name}"
    for name, names in case.get("frees", {}).items():
        assert list(decisions[canonicalize_name(name)].loosen_frees) == names, f"frees of {name}"


def test_what_certainly_ships_is_never_subtracted() -> None:
    certain_candidates = 0
    for path in CASES.glob("*.toml"):
        case = _load(path)
        policies, versions = case.get("policies", {}), _graph(case).versions
        certain = certainly_kept(versions, _catalog(case), policies=policies)
        result = _subtract(case)
        kept = {each.name for each in result.decisions if each.code == "policy"}
        assert set(certain) == versions.keys() - {each.name for each in result.decisions} | kept
        certain_candidates += len(kept)
    assert certain_candidates


def test_a_reason_is_one_sentence_and_shows_no_credentials() -> None:
    for path in CASES.glob("*.toml"):
        for decision in _subtract(_load(path)).decisions:
            texts = [decision.reason, decision.blocked_by or "", decision.loosen or ""]
            assert decision.reason
            assert not decision.reason.endswith(".")
            assert "\n" not in "".join(texts)
            assert "secret" not in "".join(texts)


def test_the_result_says_what_it_rests_on() -> None:
    result = _subtract(_load(CASES / "boto3-open.toml"))
    catalog = load_catalog("python3.13")
    assert (result.catalog_date, result.catalog_source) == (catalog.date, catalog.source)
    assert result.subtracted == {
        "boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six",
    }  # fmt: skip
