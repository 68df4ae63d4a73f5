"""Requirements files, with pip's own parser as the oracle for a folder of cases."""

import logging
from optparse import Values
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements

from packager.errors import UsageError
from packager.inputs.requirements_txt import parse_requirements_file
from packager.model.requirement import RequirementSet

CASES = Path(__file__).parents[2] / "cases" / "inputs" / "requirements"
FILES = sorted(CASES.glob("*.txt"))
SIX = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)
    monkeypatch.setenv("INDEX_USER", "u")
    monkeypatch.setenv("INDEX_PASSWORD", "p")
    monkeypatch.setenv("SIX_VERSION", "1.17.0")


@pytest.fixture(scope="module")
def session() -> PipSession:
    """One session for all files: making it reads the system's certificates."""
    return PipSession()


class Oracle:
    """What pip makes of a file."""

    def __init__(self, file: Path, session: PipSession) -> None:
        scope = SearchScope.create(find_links=[], index_urls=["default"], no_index=False)
        self.finder = PackageFinder.create(
            link_collector=LinkCollector(session=session, search_scope=scope),
            selection_prefs=SelectionPreferences(allow_yanked=True),
        )
        self.options = Values({"require_hashes": False, "features_enabled": []})
        self.options.no_require_hashes = False
        parsed = list(
            parse_requirements(str(file), session=session, finder=self.finder, options=self.options)
        )
        self.lines = [
            (int(each.comes_from.rpartition("line ")[2].rstrip(")")), each.constraint)
            for each in parsed
        ]
        self.installs = [install_req_from_parsed_requirement(each) for each in parsed]
        self.constraints = [each.constraint for each in parsed]


def described(parsed: RequirementSet) -> set[tuple[Any, ...]]:
    """Our reading in terms that pip's can be told in, too."""
    found: set[tuple[Any, ...]] = set()
    for constraint, group in ((False, parsed.declared), (True, parsed.constraints)):
        for each in group:
            requirement = each.requirement
            line = int(each.origin.rpartition(":")[2])
            marker = str(requirement.marker) if requirement.marker else None
            extras = frozenset(requirement.extras)
            version = str(requirement.specifier)
            found.add((line, constraint, each.name, version, extras, marker, requirement.url))
    for local in parsed.local_projects:
        line = int(local.origin.rpartition(":")[2])
        extras = frozenset(local.extras)
        found.add((line, False, None, "", extras, local.marker, local.path.as_uri()))
    return found


def described_by_pip(oracle: Oracle) -> set[tuple[Any, ...]]:
    found: set[tuple[Any, ...]] = set()
    for (line, constraint), install in zip(oracle.lines, oracle.installs, strict=True):
        link = install.link
        url = link.url if link else None
        folder = link is not None and link.is_file and Path(link.file_path).is_dir()
        name = canonicalize_name(install.req.name) if install.req and not folder else None
        specifier = "" if install.req is None or url else str(install.req.specifier)
        marker = str(install.markers) if install.markers else None
        if folder and link is not None:
            url = Path(link.file_path).as_uri()
        extras = frozenset(install.extras)
        found.add((line, constraint, name, specifier, extras, marker, url))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_agrees_with_pip(file: Path, session: PipSession) -> None:
    logging.disable(logging.WARNING)
    try:
        oracle = Oracle(file, session)
    finally:
        logging.disable(logging.NOTSET)
    parsed = parse_requirements_file(file, root=CASES)
    assert described(parsed) == described_by_pip(oracle)
    assert len(parsed.declared) + len(parsed.local_projects) + len(parsed.constraints) == len(
        oracle.installs
    )
    scope = oracle.finder.search_scope
    ours = [parsed.indexes.index_url or "default", *parsed.indexes.extra_index_urls]
    assert ([] if parsed.indexes.no_index else ours) == scope.index_urls
    assert list(parsed.indexes.find_links) == scope.find_links
    assert parsed.indexes.no_index == scope.no_index
    allowed = oracle.finder.release_control
    assert parsed.prereleases == bool(allowed and ":all:" in allowed.all_releases)
    hashes = {
        digest for install in oracle.installs for digest in install.hash_options.get("sha256", [])
    }
    assert {digest for digests in parsed.hashes.values() for digest in digests} == hashes
    assert parsed.require_hashes == (bool(hashes) or oracle.options.require_hashes)


def test_the_cases_are_there() -> None:
    assert len(FILES) >= 12


def test_hashes_by_name_and_version() -> None:
    parsed = parse_requirements_file(CASES / "hashes.txt", root=CASES)
    assert set(parsed.hashes) == {("six", "1.17.0"), ("idna", "3.20"), ("wrapt", "2.5.2")}
    assert SIX in parsed.hashes["six", "1.17.0"]


def test_every_file_read_is_told() -> None:
    parsed = parse_requirements_file(CASES / "includes.txt", root=CASES)
    read = [file.relative_to(CASES).as_posix() for file in parsed.files]
    assert read == [
        "includes.txt",
        "parts/one.txt",
        "parts/two.txt",
        "parts/limits.txt",
        "parts/more.txt",
        "parts/further.txt",
    ]


VCS = "points into a version control system, whose files no hash can name"

ERRORS = {
    "not a requirement": ("six>>1\n", "requirements.txt:1: `six>>1` is not a requirement"),
    "one equals sign": (
        "six\n\nidna=3.20\n",
        "requirements.txt:3: `idna=3.20` is not a requirement",
    ),
    "unknown option": ("--wheel-dir x\n", "requirements.txt:1: no such option: --wheel-dir"),
    "an option without its value": (
        "six\n-r\n",
        "requirements.txt:2: -r option requires 1 argument",
    ),
    "git": (
        "git+https://user:pw@git.test/x.git\n",
        f"requirements.txt:1: `git+https://***@git.test/x.git` {VCS}",
    ),
    "git by name": (
        "x @ git+ssh://git@git.test/x.git\n",
        f"requirements.txt:1: `x @ git+ssh://***@git.test/x.git` {VCS}",
    ),
    "itself": (
        "-r requirements.txt\n",
        "`requirements.txt` includes itself through `requirements.txt`",
    ),
    "missing include": (
        "-r base.txt\n",
        "cannot read `base.txt` (included by `requirements.txt`): No such file or directory",
    ),
    "remote include": (
        "-r https://files.test/base.txt\n",
        "requirements.txt:1: lpack does not fetch requirements files",
    ),
    "a hash without a version": (
        f"six>=1 --hash=sha256:{SIX}\n",
        "requirements.txt:1: `six` has a `--hash` but no exact version",
    ),
    "no sha256": (
        "six==1.17.0 --hash=md5:00\n",
        "requirements.txt:1: `six` has no valid sha256 among its hashes",
    ),
    "one without a hash": (
        f"six==1.17.0 --hash=sha256:{SIX}\nidna==3.20\n",
        "requirements.txt:2: `idna` has no `--hash` although the file requires hashes",
    ),
    "no such folder": ("./nothing\n", "requirements.txt:1: there is no `{root}/nothing`"),
    "a folder that is no project": (
        "-e .\n",
        "requirements.txt:1: the local project `{root}` has no `pyproject.toml`",
    ),
    "a URL without a name": (
        "https://u:p@files.test/archive.zip\n",
        (
            "requirements.txt:1: `https://***@files.test/archive.zip` does not tell the name of a "
            "distribution"
        ),
    ),
    "a secret in the environment": (
        "https://u:${INDEX_PASSWORD}@files.test/archive.zip\n",
        (
            "requirements.txt:1: `https://***@files.test/archive.zip` does not tell the name of a "
            "distribution"
        ),
    ),
}


@pytest.mark.parametrize(("text", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        parse_requirements_file(file, root=tmp_path)
    assert caught.value.message == message.replace("{root}", str(tmp_path))


def test_the_hint_for_one_equals_sign(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("idna=3.20\n")
    with pytest.raises(UsageError) as caught:
        parse_requirements_file(file, root=tmp_path)
    assert caught.value.hint == "did you mean `idna==3.20`?"


def test_a_constraint_has_no_extras(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-c limits.txt\n")
    (tmp_path / "limits.txt").write_text("requests[socks]<3\n")
    with pytest.raises(UsageError, match=r"limits\.txt:1: a constraint can be neither"):
        parse_requirements_file(tmp_path / "requirements.txt", root=tmp_path)
