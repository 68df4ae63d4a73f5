"""`tests/cases/inputs/references.toml`: files and references in, one set of requirements out."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from support.functions import make_function

from packager.errors import UsageError
from packager.inputs.requirements import is_pylock, read_requirements
from packager.model.requirement import RequirementSet

FILE = Path(__file__).parents[2] / "cases" / "inputs" / "references.toml"
CASES = tomllib.loads(FILE.read_text())["case"]


def texts(requirements: Any) -> list[str]:
    return [str(each.requirement) for each in requirements]


def normal(wanted: list[str], root: Path) -> list[str]:
    return [str(Requirement(each.replace("{root}", str(root)))) for each in wanted]


def local_projects(found: RequirementSet, root: Path) -> list[str]:
    return [
        each.path.relative_to(root).as_posix()
        + (f"[{','.join(each.extras)}]" if each.extras else "")
        for each in found.local_projects
    ]


@pytest.mark.parametrize(
    "case", [each for each in CASES if "declared" in each], ids=lambda c: c["title"]
)
def test_reads(case: dict[str, Any], project: Any) -> None:
    root = project(case["files"])
    found = read_requirements(make_function(root, case["requirements"], **case.get("function", {})))
    assert texts(found.declared) == normal(case["declared"], root)
    assert texts(found.constraints) == normal(case.get("constraints", []), root)
    assert local_projects(found, root) == case.get("local", [])
    assert found.indexes.index_url == case.get("index_url")
    assert list(found.indexes.extra_index_urls) == case.get("extra_index_urls", [])
    assert found.indexes.strategy == case.get("strategy", "first-index")
    assert found.lock == (root / case["lock"] if "lock" in case else None)
    assert found.roots_known == case.get("roots_known", True)
    if "title_of_set" in case:
        assert found.title == case["title_of_set"]
    origins = {str(each.requirement): each.origin for each in found.declared}
    assert origins | case.get("origins", {}) == origins
    assert all(file.is_file() for file in found.files)


@pytest.mark.parametrize(
    "case", [each for each in CASES if "declared" not in each], ids=lambda c: c["title"]
)
def test_refuses(case: dict[str, Any], project: Any) -> None:
    root = project(case["files"])
    with pytest.raises(UsageError) as caught:
        read_requirements(make_function(root, case["requirements"], **case.get("function", {})))
    if "error_match" in case:
        assert re.search(case["error_match"], caught.value.message)
    else:
        assert caught.value.message == case["error"].replace("{root}", str(root))
    if "hint" in case:
        assert caught.value.hint == case["hint"]


def test_all_read_files_are_told(project: Any) -> None:
    case = next(each for each in CASES if each["title"].startswith("uv sources"))
    root = project(case["files"])
    found = read_requirements(make_function(root, case["requirements"]))
    read = {file.relative_to(root).as_posix() for file in found.files}
    assert {"pyproject.toml", "libs/lib/pyproject.toml", "libs/deeper/pyproject.toml"} <= read


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pylock.toml", True),
        ("pylock.api.toml", True),
        ("pylock.a.b.toml", False),
        ("pylock", False),
        ("mypylock.toml", False),
    ],
)
def test_names_of_locks(name: str, expected: bool) -> None:
    assert is_pylock(name) is expected
