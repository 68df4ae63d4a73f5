"""The pages agree with the code and with each other."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from packager.cli.main import COMMANDS
from packager.errors import CannotBuild, CannotPublish, LpackError, UsageError
from packager.explain.known_errors import known_codes

ROOT = Path(__file__).parents[3]
_PLACES = ("*.md", "benchmarks/*.md", "docs/**/*.md", "examples/*.md")
PAGES = sorted(page for place in _PLACES for page in ROOT.glob(place))


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    """Every generated page as the code has it now."""
    source = ROOT / "docs" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate_docs", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[str, str] = module.pages()
    return pages


def test_generated_pages_are_what_their_tables_say(generated: dict[str, str]) -> None:
    stale = [
        name
        for name, text in generated.items()
        if (ROOT / "docs" / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `python docs/generate.py`"


def test_every_command_and_code_is_in_the_reference(generated: dict[str, str]) -> None:
    for name in COMMANDS:
        assert f"\n## lpack {name}" in generated["commands.md"]
    for code in known_codes():
        assert f"| `{code}` |" in generated["error-lines.md"]
    for kind in (LpackError, UsageError, CannotBuild, CannotPublish):
        assert f"| {kind.exit_code} |" in generated["exit-codes.md"]


def test_every_page_can_be_reached() -> None:
    """From the README or the index, over links: nothing is written that nobody finds."""
    seen: set[Path] = set()
    waiting = [ROOT / "README.md", ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.is_file():
            continue
        seen.add(page)
        targets = re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / each).resolve() for each in targets if "://" not in each]
    assert set((ROOT / "docs").rglob("*.md")) - seen == set()


def test_the_site_is_built_without_a_network_and_its_links_hold(tmp_path: Path) -> None:
    mkdocs = Path(sys.executable).with_name("mkdocs")
    command = [str(mkdocs), "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    # Whoever asks for the network gets an address where nobody listens.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html")}
    assert tmp_path / "how-to" / "publish.html" in pages
    broken = []
    for path, text in pages.items():
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            if re.match(r"[a-z]+:|//|/", link):
                continue
            target, _, anchor = link.partition("#")
            place = (path.parent / target).resolve() if target else path
            known = place in pages and (not anchor or f'id="{anchor}"' in pages[place])
            if not known and not (place.is_file() and place not in pages):
                broken.append(f"{path.relative_to(tmp_path)}: {link}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
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
