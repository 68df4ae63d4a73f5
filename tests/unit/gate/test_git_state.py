"""What a real git says of real repositories."""

import subprocess
from pathlib import Path

import pytest

from packager.gate.git_state import find_git_state


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a project in a folder of it."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("x = 1\n")
    (tmp_path / "other.txt").write_text("x\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    return project


def test_a_clean_project(repository: Path) -> None:
    (repository.parent / "other.txt").write_text("changed outside of the project\n")
    (repository / "notes.txt").write_text("not tracked, and not built\n")
    state = find_git_state(repository, [str(repository / "app.py")])
    assert state is not None
    assert (state.commit, state.uri, state.dirty) == (
        git(repository, "rev-parse", "HEAD"),
        "",
        False,
    )


def test_what_makes_it_dirty(repository: Path) -> None:
    (repository / "new.py").write_text("built, and not tracked\n")
    state = find_git_state(repository, [str(repository / "new.py")])
    assert state is not None
    assert state.dirty
    (repository / "app.py").write_text("changed\n")
    state = find_git_state(repository, [str(repository / "app.py")])
    assert state is not None
    assert state.dirty


@pytest.mark.parametrize(
    ("remote", "uri"),
    [
        ("https://me:secret@host.example/a/b.git", "git+https://host.example/a/b.git"),
        ("https://token@host.example/a/b?x=secret#y", "git+https://host.example/a/b"),
        ("git@host.example:a/b.git", "git+ssh://host.example/a/b.git"),
        ("host.example:a/b.git", "git+ssh://host.example/a/b.git"),
        ("ssh://git@host.example:22/a/b.git", "git+ssh://host.example:22/a/b.git"),
        ("/srv/git/b.git", ""),
        ("../b.git", ""),
        ("file:///srv/git/b.git", ""),
    ],
)
def test_where_the_commit_can_be_had(repository: Path, remote: str, uri: str) -> None:
    git(repository, "remote", "add", "origin", remote)
    state = find_git_state(repository, [])
    assert state is not None
    assert state.uri == uri


def test_without_a_repository_or_a_commit_or_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert find_git_state(tmp_path, []) is None
    git(tmp_path, "init", "-q")
    assert find_git_state(tmp_path, []) is None
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find_git_state(tmp_path, []) is None
