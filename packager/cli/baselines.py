"""Baselines: saved manifests that an artifact is held against, never a rebuild.

A baseline is a manifest, a folder of them, or one file that holds the manifests of all functions
with the commit they were built from. The commit is in that file and not in the manifests: equal
builds of two commits have equal manifests.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packager.cli.subjects import SUFFIX, manifests_by_name, read_subjects
from packager.errors import UsageError
from packager.gate.history import Staleness, commit_of_file, current_commit, staleness_of
from packager.gate.rules import found
from packager.model.baseline import Saved
from packager.model.verdict import GateFinding
from packager.parsing import parse_json

_SCHEMA_VERSION = 1
_PARTS = {"artifact", "code", "distributions", "function", "limits", "subtraction", "target"}


def read_saved(path: Path) -> Saved:
    """Read a baseline: one file of manifests, or whatever `read_subjects` takes.

    Raises UsageError when `path` is none.
    """
    if path.is_file() and path.suffix == ".json" and not path.name.endswith(SUFFIX):
        return _read_together(path)
    named = manifests_by_name(read_subjects(path))
    return Saved(str(path), named, commit_of_file(path) if path.is_file() else None)


def _read_together(path: Path) -> Saved:
    """Read what `save_baseline` wrote, or a manifest of another name."""
    document = _read(path)
    together = document.get("manifests", [document])
    git = document.get("git") or {}
    try:
        manifests = _by_name(together, path)
        commit = git.get("commit") or commit_of_file(path)
        return Saved(str(path), manifests, commit, bool(git.get("dirty")))
    except (AttributeError, TypeError) as error:
        raise _no_baseline(path) from error


def save_baseline(path: Path, manifests: Iterable[Mapping[str, Any]]) -> None:
    """Write the manifests of all functions and the current commit to `path`, atomically."""
    from packager.assemble.output import atomic_output  # noqa: PLC0415 -- only when saving

    commit = current_commit(Path.cwd())
    document = {
        "schema_version": _SCHEMA_VERSION,
        "git": None if commit is None else commit._asdict(),
        "manifests": list(manifests),
    }
    with atomic_output(path) as output:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        output.write(f"{text}\n".encode())


def staleness_findings(saved: Saved, *, base: str | None) -> tuple[GateFinding, ...]:
    """Tell whether `saved` is of the commit that this branch started from.

    Without a repository nothing is said.
    """
    here = Path.cwd()
    if saved.dirty:
        message = f"`{saved.label}` was saved with changes that are in no commit"
        return (found("baseline-stale", message),)
    if saved.commit is None:
        if current_commit(here) is None:
            return ()
        message = f"`{saved.label}` does not say which commit it is of"
        return (found("baseline-commit-unknown", message),)
    return _staleness_findings(saved, staleness_of(saved.commit, here, base=base))


def _staleness_findings(saved: Saved, state: Staleness) -> tuple[GateFinding, ...]:
    commit = (saved.commit or "")[:12]
    if state.unknown:
        message = f"whether `{saved.label}` is stale is not known: {state.unknown}"
        return (found("baseline-commit-unknown", message),)
    if not state.is_ancestor:
        message = f"`{saved.label}` is of {commit}, which is not in the history of this branch"
        return (found("baseline-stale", message),)
    if state.behind and state.changed:
        commits = "1 commit" if state.behind == 1 else f"{state.behind} commits"
        message = (
            f"`{saved.label}` is of {commit}, {commits} before the merge base "
            f"{(state.merge_base or '')[:12]}, and {', '.join(state.changed[:3])} changed since"
        )
        return (found("baseline-stale", message),)
    return ()


def _read(path: Path) -> dict[str, Any]:
    try:
        document = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_baseline(path) from error
    if not isinstance(document, dict) or not ("manifests" in document or document.keys() >= _PARTS):
        raise _no_baseline(path)
    return document


def _by_name(manifests: Iterable[Any], path: Path) -> dict[str, Mapping[str, Any]]:
    named: dict[str, Mapping[str, Any]] = {}
    for manifest in manifests:
        if not isinstance(manifest, dict) or not manifest.keys() >= _PARTS:
            raise _no_baseline(path)
        try:
            named[manifest["function"]["name"]] = manifest
        except (KeyError, TypeError) as error:
            raise _no_baseline(path) from error
    return named


def _no_baseline(path: Path) -> UsageError:
    return UsageError(
        f"`{path}` is no baseline: neither a manifest of lpack nor manifests saved together",
        hint="lpack check --save-baseline main.json",
    )
