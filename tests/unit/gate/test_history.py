"""Stale baselines, told from real repositories."""

from pathlib import Path

import pytest
from support.pull_request import run_git

from packager.gate.history import commit_of_file, current_commit, staleness_of


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)
    run_git(tmp_path, "init", "-q", "-b", "main")
    _commit(tmp_path, "pyproject.toml", "one")
    return tmp_path


def _commit(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-q", "-m", text)
    return run_git(folder, "rev-parse", "HEAD")


def test_the_merge_base_is_fresh(repository: Path) -> None:
    start = run_git(repository, "rev-parse", "HEAD")
    run_git(repository, "checkout", "-q", "-b", "change")
    _commit(repository, "uv.lock", "changed here")
    run_git(repository, "checkout", "-q", "main")
    _commit(repository, "uv.lock", "moved on there")
    run_git(repository, "checkout", "-q", "change")
    state = staleness_of(start, repository, base="main")
    assert (state.merge_base, state.is_ancestor, state.behind) == (start, True, 0)


def test_a_baseline_before_the_merge_base_names_what_changed_since(repository: Path) -> None:
    old = run_git(repository, "rev-parse", "HEAD")
    _commit(repository, "app.py", "code")
    newer = _commit(repository, "uv.lock", "locked anew")
    run_git(repository, "checkout", "-q", "-b", "change")
    _commit(repository, "app.py", "more code")
    state = staleness_of(old, repository, base="main")
    assert (state.merge_base, state.behind, state.changed) == (newer, 2, ("uv.lock",))


def test_the_target_branch_is_in_the_environment(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = run_git(repository, "rev-parse", "HEAD")
    newer = _commit(repository, "requirements.txt", "x")
    run_git(repository, "update-ref", "refs/remotes/origin/trunk", newer)
    run_git(repository, "checkout", "-q", "-b", "change")
    _commit(repository, "app.py", "y")
    assert staleness_of(old, repository, base=None).behind == 0
    monkeypatch.setenv("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "trunk")
    assert staleness_of(old, repository, base=None).changed == ("requirements.txt",)


def test_a_commit_of_another_branch_is_no_ancestor(repository: Path) -> None:
    run_git(repository, "checkout", "-q", "-b", "other")
    foreign = _commit(repository, "a", "b")
    run_git(repository, "checkout", "-q", "main")
    assert not staleness_of(foreign, repository, base=None).is_ancestor


def test_on_the_base_branch_an_earlier_commit_is_meant(repository: Path) -> None:
    old = run_git(repository, "rev-parse", "HEAD")
    head = _commit(repository, "uv.lock", "new")
    assert staleness_of(old, repository, base="main") == (head, True, 0, (), "")


@pytest.mark.parametrize(
    ("commit", "base", "unknown"),
    [("0" * 40, None, "the commit 000000000000 is not in this clone"),
     ("HEAD", "nowhere", "git finds no common commit with `nowhere`")],
)  # fmt: skip
def test_what_git_does_not_know_is_said(
    repository: Path, commit: str, base: str | None, unknown: str
) -> None:
    assert staleness_of(commit, repository, base=base).unknown == unknown


def test_where_a_file_was_committed(repository: Path) -> None:
    first = run_git(repository, "rev-parse", "HEAD")
    second = _commit(repository, "main.json", "{}")
    assert commit_of_file(repository / "pyproject.toml") == first
    assert commit_of_file(repository / "main.json") == second
    (repository / "main.json").write_text("edited")
    assert commit_of_file(repository / "main.json") is None
    (repository / "new.json").write_text("untracked")
    assert commit_of_file(repository / "new.json") is None


def test_a_commit_with_changes_is_dirty(repository: Path) -> None:
    here = current_commit(repository)
    assert here is not None
    assert not here.dirty
    (repository / "pyproject.toml").write_text("two")
    assert current_commit(repository) == (here.commit, True)


def test_without_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert current_commit(tmp_path) is None
    assert commit_of_file(tmp_path / "x.json") is None
    assert staleness_of("HEAD", tmp_path, base=None).unknown
