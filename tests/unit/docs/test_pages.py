"""The pages agree with the code and with each other."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("benchmarks/*.md")])


def test_generated_pages_are_what_their_tables_say() -> None:
    source = ROOT / "docs" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate_docs", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == module.page(), "run `python docs/generate.py`"
    written = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert written == module.findings_page(), "run `python docs/generate.py`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = [
        target
        for target in re.findall(r"\]\(([^)#]+)\)", text)
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_dependency_has_a_row() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [each for group in project["optional-dependencies"].values() for each in group]
    names = {re.split(r"[><=\[ ]", each)[0] for each in [*project["dependencies"], *extras]}
    table = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = {row.split(" (")[0] for row in re.findall(r"^\| ([a-z][^|]*?) \|", table, re.MULTILINE)}
    assert names == rows - {"distribution"}
