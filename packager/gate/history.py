"""What git knows of a baseline: whether it is of the commit that this branch started from.

A gate that compares with another commit than the merge base blames a change for what others did
(getsentry/sentry-javascript issue 4775). Without git, or without the history, nothing is said
that is not known.
"""

import os
from pathlib import Path
from typing import NamedTuple

from packager.gate.asking_git import ask_git

_TARGET_BRANCHES = (
    ("GITHUB_BASE_REF", "origin/"),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "origin/"),
)
"""Who names the branch that a change shall go into: GitHub's and GitLab's variables."""
_DEPENDENCY_FILES = (
    "pyproject.toml", "lpack.toml", "uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock",
    "pylock*.toml", "requirements*.txt", "requirements*.in", "*/requirements*.txt",
)  # fmt: skip
_SECONDS = 20


class Commit(NamedTuple):
    """Where a baseline was saved: the commit, and whether files were changed since."""

    commit: str
    dirty: bool


class Staleness(NamedTuple):
    """How far a baseline is from the merge base.

    `merge_base` is None when git cannot tell, and `unknown` says why. `behind` counts the commits
    between them; `changed` are the files among them that decide dependencies. `is_ancestor` is
    whether the baseline's commit is in the history at all.
    """

    merge_base: str | None
    is_ancestor: bool = True
    behind: int = 0
    changed: tuple[str, ...] = ()
    unknown: str = ""


def current_commit(folder: Path) -> Commit | None:
    """Return the commit checked out in `folder`, None without git or without a commit."""
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return None
    return Commit(commit, dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=no")))


def commit_of_file(file: Path) -> str | None:
    """Return the commit that last changed `file`, None when git does not track it as it is."""
    folder = file.resolve().parent
    if _git(folder, "status", "--porcelain", "--", file.name) != "":
        return None
    return _git(folder, "log", "-1", "--format=%H", "--", file.name) or None


def staleness_of(commit: str, folder: Path, *, base: str | None) -> Staleness:
    """Hold the baseline's `commit` against the merge base of HEAD and the branch `base`.

    Without `base`, the variables of GitHub and GitLab name it, and otherwise HEAD itself counts:
    a baseline has to be one of its ancestors.
    """
    if not _git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"):
        return Staleness(None, unknown=f"the commit {commit[:12]} is not in this clone")
    branch = base or _target_branch()
    head = _git(folder, "rev-parse", "HEAD") or "HEAD"
    start = _git(folder, "merge-base", "HEAD", branch) if branch else head
    if not start:
        return Staleness(None, unknown=f"git finds no common commit with `{branch}`")
    if _git(folder, "merge-base", "--is-ancestor", commit, "HEAD") is None:
        return Staleness(start, is_ancestor=False)
    if start == head:
        # On the base branch itself the baseline is of an earlier commit, and is meant to be.
        return Staleness(start)
    behind = _git(folder, "rev-list", "--count", f"{commit}..{start}") or "0"
    changed = _git(folder, "diff", "--name-only", commit, start, "--", *_DEPENDENCY_FILES) or ""
    return Staleness(start, behind=int(behind), changed=tuple(changed.splitlines()))


def _target_branch() -> str | None:
    for variable, prefix in _TARGET_BRANCHES:
        if os.environ.get(variable):
            return f"{prefix}{os.environ[variable]}"
    return None


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git printed, without the line's end; None as `ask_git` does."""
    printed = ask_git(folder, *arguments, patience_seconds=_SECONDS)
    return None if printed is None else printed.strip()
