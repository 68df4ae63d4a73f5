"""`poetry.lock`, formats 1.x to 2.x (Poetry documentation, "Installing with poetry.lock")."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from packager.errors import UsageError
from packager.inputs.documents import joined, load_toml, shown
from packager.inputs.forms import POETRY_LOCK, check_form
from packager.inputs.locked import (
    LockContents,
    LockedPackage,
    digests,
    from_git,
    joined_markers,
)
from packager.inputs.requirement_line import local_project
from packager.model.requirement import LocalProject

Table = Mapping[str, Any]


def read_poetry_lock(lock: Path, references: Sequence[str], *, root: Path) -> LockContents:
    """Read a `poetry.lock`; git and local packages count when their group is asked for.

    Raises UsageError for git sources and for several versions that no marker tells apart.
    """
    name = shown(lock, root)
    document = load_toml(lock, root)
    check_form(document, POETRY_LOCK, file=name, hint="poetry lock")
    metadata = document.get("metadata", {})
    # Format 1.x lists the files of all packages in one table.
    files_of: Mapping[str, Any] = metadata.get("files", {})
    groups = {"main"} | {each.partition(":")[2] for each in references if each.startswith("group:")}
    extras = any(each.startswith("extra:") for each in references)
    tables: list[Table] = document.get("package", [])
    packages: list[LockedPackage] = []
    local: list[LocalProject] = []
    for table in tables:
        wanted = _is_wanted(table, groups, extras=extras)
        kind = table.get("source", {}).get("type")
        if kind == "git":
            if wanted:
                raise from_git(table["name"], name)
        elif kind == "directory":
            path = joined(lock.parent, _url(table, name))
            local += [local_project(path, origin=name)] if wanted and path != root else []
        else:
            files = table.get("files", files_of.get(table["name"], []))
            packages.append(_package(table, tables, files, lock=lock, shown_as=name))
    return LockContents(tuple(packages), tuple(local))


def _is_wanted(table: Table, groups: set[str], *, extras: bool) -> bool:
    if table.get("optional") and not extras:
        return False
    own = table.get("groups") or [table.get("category", "main")]
    return not groups.isdisjoint(own)


def _package(
    table: Table, tables: Sequence[Table], files: object, *, lock: Path, shown_as: str
) -> LockedPackage:
    name = canonicalize_name(table["name"])
    try:
        version = Version(table["version"])
    except ValueError as error:  # not a version, or a number without end
        raise UsageError(f"`{shown_as}`: `{name}` has no valid version") from error
    several = sum(each["name"] == table["name"] for each in tables) > 1
    markers = _markers(table) if several else []
    if several and not markers:
        raise UsageError(
            f"`{shown_as}` holds several versions of `{name}` and no markers that tell them apart",
            hint="poetry lock --regenerate, with Poetry 2",
        )
    source = table.get("source", {})
    url = None
    if source.get("type") == "file":
        url = joined(lock.parent, _url(table, shown_as)).as_uri()
    elif source.get("type") == "url":
        url = _url(table, shown_as)
    listed = files if isinstance(files, list) else []
    sha256 = digests([file.get("hash") for file in listed])
    return LockedPackage(name, version, joined_markers(markers), sha256, url)


def _url(table: Table, shown_as: str) -> str:
    """Give the URL or path that a source other than an index has."""
    url = table["source"].get("url")
    if not isinstance(url, str):
        raise UsageError(
            f"`{shown_as}`: `{table['name']}` has a source without a `url`", hint="poetry lock"
        )
    return url


def _markers(table: Table) -> list[str]:
    """Give the markers of an entry: one text, or one for each group."""
    markers = table.get("markers")
    if isinstance(markers, str):
        return [markers]
    return list(dict.fromkeys(markers.values())) if isinstance(markers, dict) else []
