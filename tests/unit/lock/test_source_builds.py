"""Wheels from source: builds that work, builds that fail, archives that lie."""

import hashlib
import io
import os
import subprocess
import tarfile
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version
from support.index_server import IndexServer
from support.lock_world import pack_sdist, source_project

from packager.errors import CannotBuild
from packager.lock.backend import find_uv
from packager.lock.build_requirements import (
    BuildRules,
    install_requirements,
    installer_variables,
)
from packager.lock.select import SdistReference
from packager.lock.source_builds import build_projects, build_sdists
from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings, LocalProject
from packager.model.selection import Pin
from packager.pipeline.sdists import fetch_sdist
from packager.runtime.targets import load_target

TARGET = load_target("python3.11", "x86_64")
NONE = IndexSettings()


def _build(tmp_path: Path, archive: Path, **changed: object) -> tuple[Pin, ...]:
    values = {
        "name": canonicalize_name("thing"),
        "version": Version("1.0"),
        "filename": archive.name,
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "path": archive,
    } | changed
    return build_sdists(
        [SdistReference(**values)],  # type: ignore[arg-type]  # every field is given above
        TARGET,
        folder=tmp_path / "built",
        rules=BuildRules(indexes=NONE, offline=False),
        reporter=NullReporter(),
        fetch=fetch_sdist,
    )


def _project(tmp_path: Path, path: Path) -> None:
    build_projects(
        [LocalProject(path=path, origin="requirements.txt:3")],
        TARGET,
        folder=tmp_path / "built",
        rules=BuildRules(indexes=NONE, offline=False),
        reporter=NullReporter(),
    )


def test_the_digest_is_checked_before_anything_runs(tmp_path: Path) -> None:
    archive = pack_sdist(source_project(tmp_path / "thing", "thing"), tmp_path)
    with pytest.raises(CannotBuild, match="hash mismatch") as caught:
        _build(tmp_path, archive, sha256="0" * 64)
    assert caught.value.details[0].endswith("0" * 64)
    assert not (tmp_path / "built").exists()


def test_another_project_than_locked_is_refused(tmp_path: Path) -> None:
    archive = pack_sdist(source_project(tmp_path / "thing", "thing"), tmp_path)
    with pytest.raises(CannotBuild, match=r"was locked as `other 1\.0` and builds `thing 1\.0`"):
        _build(tmp_path, archive, name=canonicalize_name("other"))


def test_an_archive_cannot_write_beside_its_folder(tmp_path: Path) -> None:
    archive = tmp_path / "thing-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("../../escaped")
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(CannotBuild, match="cannot be unpacked"):
        _build(tmp_path, archive)
    archive.write_bytes(b"no tar")
    with pytest.raises(CannotBuild, match="cannot be unpacked"):
        _build(tmp_path, archive)


def test_a_failing_build_shows_its_last_lines(tmp_path: Path) -> None:
    project = source_project(tmp_path / "thing", "thing")
    (project / "backend.py").write_text(
        "def build_wheel(*a, **k): raise RuntimeError('see https://me:s3cret@h/x')\n",
        encoding="utf-8",
    )
    with pytest.raises(CannotBuild, match="building `thing` failed") as caught:
        _project(tmp_path, project)
    told = "\n".join(caught.value.details)
    assert "RuntimeError" in told
    assert "s3cret" not in told
    assert list((tmp_path / "built").iterdir()) == []


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="holds no project to build"):
        _project(tmp_path, tmp_path)


def test_one_folder_asked_for_twice_is_built_once_with_all_extras(tmp_path: Path) -> None:
    path = source_project(tmp_path / "thing", "thing")
    projects = [
        LocalProject(path=path, origin="a.txt:1", extras=("x",)),
        LocalProject(path=path, origin="b.txt:1", extras=("y", "x")),
    ]
    (built,) = build_projects(
        projects,
        TARGET,
        folder=tmp_path / "built",
        rules=BuildRules(indexes=NONE, offline=True),
        reporter=NullReporter(),
    )
    assert (str(built.declared.requirement), built.declared.origin) == ("thing[x,y]", "a.txt:1")
    assert "UV_OFFLINE" not in os.environ


def test_build_requirements_come_from_the_same_indexes() -> None:
    settings = IndexSettings(index_url="https://h/simple", extra_index_urls=("https://x/simple",))
    values = installer_variables(settings, offline=True)
    assert values["UV_DEFAULT_INDEX"] == values["PIP_INDEX_URL"] == "https://h/simple"
    assert values["UV_INDEX"] == values["PIP_EXTRA_INDEX_URL"] == "https://x/simple"
    assert (values["UV_OFFLINE"], values["PIP_NO_INDEX"]) == ("1", "1")


SECRETS = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "aws_session_token": "x",
    "GITHUB_TOKEN": "x",
    "HTTPS_PROXY": "http://me:x@127.0.0.1:9",
    "MY_API_KEY": "x",
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "SSH_AUTH_SOCK": "x",
    "TWINE_PASSWORD": "x",
    "UV_INDEX_HOUSE_USERNAME": "x",
}
HARMLESS = {"CFLAGS": "-O2", "MYLIB_ROOT": "/somewhere", "LC_ALL": "C", "KEYBOARD": "x"}


def test_a_backend_sees_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend itself writes down what it sees, those variables among it that builds need."""
    for name, value in (SECRETS | HARMLESS).items():
        monkeypatch.setenv(name, value)
    seen = tmp_path / "seen"
    project = source_project(tmp_path / "thing", "thing", spy=seen)
    _project(tmp_path, project)
    names = seen.read_text().split()
    assert [name for name in SECRETS if name in names] == []
    assert [name for name in (*HARMLESS, "PATH", "HOME") if name not in names] == []


# Build requirements


@pytest.fixture(params=["uv", "pip"])
def rules(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BuildRules]:
    """An index with two tools that exist as source only, one built by the other."""
    folder = tmp_path / "files"
    folder.mkdir()
    pack_sdist(source_project(tmp_path / "tool", "tool", spy=tmp_path / "seen"), folder)
    pack_sdist(source_project(tmp_path / "outer", "outer", build_requires=["tool"]), folder)
    uv = find_uv() if request.param == "uv" else None
    with IndexServer([folder]) as index:
        yield BuildRules(indexes=IndexSettings(index_url=index.url), uv=uv)


def environment(folder: Path) -> str:
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    return str(folder / "bin/python")


def test_a_build_requirement_from_source_runs_only_by_name(
    rules: BuildRules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "TWINE_PASSWORD"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    python, seen = environment(tmp_path / "venv"), tmp_path / "seen"
    with pytest.raises(CannotBuild, match="build requirements of `thing`") as caught:
        install_requirements(["tool"], python=python, title="thing", rules=rules)
    assert "allow-sdist" in str(caught.value.hint)
    assert not seen.exists()
    named = replace(rules, named=("tool",))
    install_requirements(["tool"], python=python, title="thing", rules=named)
    names = seen.read_text().split()
    assert "tool" in names
    assert not {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "TWINE_PASSWORD"} & set(names)
    subprocess.run([python, "-c", "import tool"], check=True)


def test_what_a_build_requirement_requires_for_its_build_is_built_by_name_too(
    rules: BuildRules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pip is told by a variable, which it splits at spaces.
    (tmp_path / "a b").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a b"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    python, seen = environment(tmp_path / "venv"), tmp_path / "seen"
    only_outer = replace(rules, named=("outer",))
    with pytest.raises(CannotBuild, match="build requirements of `thing`"):
        install_requirements(["outer"], python=python, title="thing", rules=only_outer)
    assert not seen.exists()
    both = replace(rules, named=("outer", "tool"))
    install_requirements(["outer"], python=python, title="thing", rules=both)
    assert "tool" in seen.read_text().split()
    subprocess.run([python, "-c", "import outer"], check=True)
    assert list((tmp_path / "a b").iterdir()) == []


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("--index-url=https://elsewhere.invalid", "has a build requirement that is none"),
        ("tool @ https://elsewhere.invalid/tool.tar.gz", "requires the source of `tool`"),
        ("tool @ git+https://elsewhere.invalid/tool", "requires the source of `tool`"),
    ],
)
def test_build_requirements_name_no_source(requirement: str, message: str) -> None:
    rules = BuildRules(indexes=IndexSettings(no_index=True))
    with pytest.raises(CannotBuild, match=message):
        install_requirements([requirement], python="/no/python", title="thing", rules=rules)
