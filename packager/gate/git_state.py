"""Which commit the project is at, for statements of provenance."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from packager.gate.asking_git import ask_git
from packager.model.origin import without_credentials
from packager.model.redaction import redact_url

_PATIENCE_SECONDS = 60
_SCP = re.compile(r"(?:[^@/\s]+@)?([^:/@\s]+):(?!//)(.+)")
"""`git@host:path`, git's own way to write an ssh URL (gitglossary, "git URLs")."""


class GitState(NamedTuple):
    """A commit as hex, where it can be had, and whether what was built differs from it.

    `uri` is `git+` and the URL of the remote `origin` without credentials, or empty. `dirty` are
    changed tracked files below the project, or files that went in without being tracked.
    """

    commit: str
    uri: str
    dirty: bool


def find_git_state(root: Path, files: Iterable[str]) -> GitState | None:
    """Return the state of the repository that `root` is in, None where git tells of none.

    `files` are the absolute paths of what is built.
    """
    commit = _git(root, "rev-parse", "--verify", "HEAD^{commit}")
    tracked = _git(root, "ls-files", "-z", "--", ".")
    changed = _git(root, "diff", "--name-only", "-z", "HEAD", "--", ".")
    if commit is None or tracked is None or changed is None:
        return None
    known = {str(root / name) for name in tracked.split("\0") if name}
    remote = (_git(root, "config", "--get", "remote.origin.url") or "").strip()
    dirty = bool(changed) or any(each not in known for each in files)
    return GitState(commit.strip(), _uri(remote), dirty)


def _uri(remote: str) -> str:
    """Return an SPDX download location (`git+https://…`); a remote on this disk has none."""
    if remote.startswith(("https://", "http://", "ssh://", "git://")):
        return f"git+{redact_url(without_credentials(remote))}"
    found = _SCP.fullmatch(remote)
    return f"git+ssh://{found[1]}/{found[2].lstrip('/')}" if found else ""


def _git(folder: Path, *arguments: str) -> str | None:
    return ask_git(folder, *arguments, patience_seconds=_PATIENCE_SECONDS)
