"""The closure check, from the cases in tests/cases/lock/closure."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from packager.errors import CannotBuild
from packager.lock.closure import check_closure, closure
from packager.model.requirement import Declared
from packager.model.selection import MetadataByName, Pin, WheelReference
from packager.runtime.targets import load_target

CASES = sorted((Path(__file__).parents[2] / "cases" / "lock" / "closure").glob("*.toml"))
TARGET = load_target("python3.13", "arm64")


def _pins(versions: dict[str, str]) -> list[Pin]:
    wheel = WheelReference(filename="x-1-py3-none-any.whl", sha256="00", url="https://h/x")
    return [
        Pin(name=canonicalize_name(name), version=Version(version), wheel=wheel)
        for name, version in versions.items()
    ]


def _metadata(case: dict[str, Any]) -> MetadataByName:
    found: dict[NormalizedName, Metadata] = {}
    for name, version in case["pins"].items():
        requires = case.get("requires", {}).get(name, [])
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        text += "".join(f"Requires-Dist: {line}\n" for line in requires)
        found[canonicalize_name(name)] = Metadata.from_email(text, validate=False)
    return found


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
@pytest.mark.parametrize("turned", [False, True])
def test_closure(path: Path, *, turned: bool) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    roots_known = case.get("roots_known", True)
    pins = _pins(case["pins"])
    declared = [
        Declared(requirement=Requirement(line), origin=f"requirements.txt:{number}")
        for number, line in enumerate(case["declared"], start=1)
    ]
    if turned:
        pins.reverse()
        declared.reverse()
    graph = closure(
        pins, _metadata(case), declared=declared, target=TARGET, roots_known=roots_known
    )
    expected = case["expected"]
    if "error" in expected:
        with pytest.raises(CannotBuild) as caught:
            check_closure(graph, TARGET, roots_known=roots_known)
        assert caught.value.message == expected["error"]
        assert list(caught.value.details) == expected.get("details", [])
    else:
        check_closure(graph, TARGET, roots_known=roots_known)
        told = [f"{e.parent or '-'} {canonicalize_name(e.requirement.name)}" for e in graph.edges]
        assert told == expected["edges"]


def test_edges_say_where_they_are_written() -> None:
    case: dict[str, Any] = {"pins": {"a": "1", "b": "2"}, "requires": {"a": ["b>1"]}}
    declared = [Declared(requirement=Requirement("a"), origin="pyproject.toml")]
    graph = closure(_pins(case["pins"]), _metadata(case), declared=declared, target=TARGET)
    assert [edge.origin for edge in graph.edges] == ["pyproject.toml", "a 1"]
