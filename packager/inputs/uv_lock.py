"""`uv.lock` (uv documentation, "Locking and syncing"; versions 1 of the format)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from packager.errors import UsageError
from packager.inputs.documents import joined, load_toml, shown
from packager.inputs.forms import UV_LOCK, check_form
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

_LOCAL = ("editable", "directory", "virtual")


def read_uv_lock(lock: Path, references: Sequence[str], *, root: Path) -> LockContents:
    """Read a `uv.lock` for the project in `root`, which may be a member of a workspace.

    Only what `references` (`project`, `extra:NAME`, `group:NAME`) lead to may be local, and must
    not come from git. Raises UsageError.
    """
    name = shown(lock, root)
    document = load_toml(lock, root)
    if document.get("version") != 1:
        raise UsageError(
            f"`{name}` is of version {document.get('version')} of uv's format, lpack reads 1",
            hint="uv export --format pylock.toml -o pylock.toml, then name that file",
        )
    check_form(document, UV_LOCK, file=name, hint="uv lock")
    tables: list[Table] = document.get("package", [])
    own = _own(tables, lock.parent, root)
    reached = _reachable(tables, own, references)
    local: list[LocalProject] = []
    packages: list[LockedPackage] = []
    find_links: list[str] = []
    for table in tables:
        source = table.get("source", {})
        is_reached = table["name"] in reached
        if "git" in source and is_reached:
            raise from_git(table["name"], name)
        if any(key in source for key in _LOCAL):
            local += _local(table, lock, name, is_reached and table is not own, reached)
        elif "git" not in source and "version" in table:
            packages.append(_package(table, tables, lock=lock, shown_as=name))
            registry = source.get("registry")
            if isinstance(registry, str) and "://" not in registry:
                find_links.append(str(joined(lock.parent, registry)))
    named = {each["name"] for each in _requires_dist(own)}
    return LockContents(
        tuple(packages), tuple(local), tuple(dict.fromkeys(find_links)), frozenset(named)
    )


def _own(tables: Sequence[Table], folder: Path, root: Path) -> Table | None:
    """Find the entry of the project itself, by its folder."""
    for table in tables:
        source = table.get("source", {})
        for key in _LOCAL:
            if key in source and joined(folder, source[key]) == root:
                return table
    return None


def _requires_dist(own: Table | None) -> Iterator[Table]:
    metadata = (own or {}).get("metadata", {})
    yield from metadata.get("requires-dist", [])
    for group in metadata.get("requires-dev", {}).values():
        yield from group


def _reachable(
    tables: Sequence[Table], own: Table | None, references: Sequence[str]
) -> dict[str, set[str]]:
    """Map every name that the references lead to, under any marker, to the extras asked of it."""
    if own is None:
        return {table["name"]: set() for table in tables}
    by_name: dict[str, list[Table]] = {}
    for table in tables:
        by_name.setdefault(table["name"], []).append(table)
    reached: dict[str, set[str]] = {}
    done: set[tuple[str, str]] = set()
    waiting = list(_first(own, references))
    while waiting:
        dependency = waiting.pop()
        name = dependency["name"]
        extras = reached.setdefault(name, set())
        for extra in ("", *dependency.get("extra", ())):
            if (name, extra) in done:
                continue
            done.add((name, extra))
            if extra:
                extras.add(extra)
            for table in by_name.get(name, ()):
                waiting += _requires(table, extra)
    return reached


def _requires(table: Table, extra: str) -> list[Table]:
    if not extra:
        return list(table.get("dependencies", []))
    return list(table.get("optional-dependencies", {}).get(extra, []))


def _first(own: Table, references: Sequence[str]) -> Iterator[Table]:
    for reference in references:
        kind, _, name = reference.partition(":")
        if kind == "group":
            yield from own.get("dev-dependencies", {}).get(name, [])
        else:
            yield from _requires(own, canonicalize_name(name) if kind == "extra" else "")


def _local(
    table: Table, lock: Path, name: str, wanted: bool, reached: Mapping[str, set[str]]
) -> list[LocalProject]:
    source = table["source"]
    key = next(key for key in _LOCAL if key in source)
    if not wanted or key == "virtual":
        return []
    path = joined(lock.parent, source[key])
    extras = tuple(sorted(reached[table["name"]]))
    return [local_project(path, origin=name, extras=extras)]


def _package(table: Table, tables: Sequence[Table], *, lock: Path, shown_as: str) -> LockedPackage:
    name = canonicalize_name(table["name"])
    try:
        version = Version(table["version"])
    except ValueError as error:  # not a version, or a number without end
        raise UsageError(f"`{shown_as}`: `{name}` has no valid version") from error
    files = [*table.get("wheels", []), *([table["sdist"]] if "sdist" in table else [])]
    several = sum(each["name"] == table["name"] for each in tables) > 1
    markers: list[str] = list(table.get("resolution-markers", [])) if several else []
    if any("extra ==" in marker or "extra !=" in marker for marker in markers) or (
        several and not markers
    ):
        raise UsageError(
            f"`{shown_as}` holds several versions of `{name}` for extras or groups that exclude "
            "each other",
            hint="uv export --format pylock.toml -o pylock.toml, then name that file",
        )
    source = table.get("source", {})
    url = source.get("url")
    if "path" in source:
        url = joined(lock.parent, source["path"]).as_uri()
    sha256 = digests([file.get("hash") for file in files])
    return LockedPackage(name, version, joined_markers(markers), sha256, url)
