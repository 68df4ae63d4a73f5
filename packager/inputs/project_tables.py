"""`pyproject.toml` as requirements: `[project]`, its extras, dependency groups, uv and Poetry.

PEP 621 (`[project]`), PEP 735 (`[dependency-groups]`), uv's `[tool.uv.sources]` and Poetry 1's
`[tool.poetry.dependencies]`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from packager.errors import UsageError
from packager.inputs.documents import load_pyproject, shown
from packager.inputs.nearest import nearest
from packager.inputs.poetry_tables import poetry_extra, poetry_group, poetry_requirements
from packager.inputs.requirement_line import Entry
from packager.inputs.uv_sources import Sources, index_settings, read_sources
from packager.model.requirement import Declared, LocalProject, RequirementSet


class _Project(NamedTuple):
    """A `pyproject.toml` that was read, and how to show it."""

    file: Path
    root: Path
    data: Mapping[str, Any]

    @property
    def shown(self) -> str:
        return shown(self.file, self.root)

    @property
    def name(self) -> str:
        name = self.data.get("project", {}).get("name")
        return canonicalize_name(name) if isinstance(name, str) else ""


def read_project(references: Sequence[str], *, root: Path) -> RequirementSet:
    """Resolve `project`, `extra:NAME` and `group:NAME` against `pyproject.toml` in `root`.

    Requirements on the project itself (`mypkg[extra]`) are replaced by what the extra asks for.
    Raises UsageError when the file, the extra or the group is missing or malformed.
    """
    file = root / "pyproject.toml"
    if not file.is_file():
        raise UsageError(
            f"`{references[0]}` needs a `pyproject.toml`, and there is none",
            hint="name a requirements file instead",
        )
    project = _Project(file, root, load_pyproject(file, root))
    sources = read_sources(project.data, folder=root, origin=project.shown)
    entries = list(_entries(project, references))
    declared: dict[str, Declared] = {}
    local: dict[tuple[Path, str | None], LocalProject] = {}
    for each in entries:
        entry = sources.apply(each)
        if entry.local is not None:
            key = (entry.local.path, entry.local.marker)
            earlier = local.get(key)
            extras = {*entry.local.extras, *(earlier.extras if earlier else ())}
            local[key] = replace(entry.local, extras=tuple(sorted(extras)))
        elif entry.declared is not None:
            declared.setdefault(str(entry.declared.requirement), entry.declared)
    closed, files = _close_over_local_projects(tuple(local.values()), root=root)
    return RequirementSet(
        declared=tuple(declared.values()),
        constraints=tuple(_constraints(project)),
        local_projects=closed,
        indexes=index_settings(project.data, sources),
        files=(file, *files),
        title=project.shown,
    )


def _entries(project: _Project, references: Sequence[str]) -> Iterator[Declared]:
    for reference in references:
        kind, _, name = reference.partition(":")
        if kind == "extra":
            yield from _extra(project, name, seen=frozenset())
        elif kind == "group":
            yield from _group(project, name)
        else:
            yield from _dependencies(project)


def _dependencies(project: _Project) -> Iterator[Declared]:
    table = project.data.get("project", {})
    poetry = project.data.get("tool", {}).get("poetry", {})
    if "dependencies" in table.get("dynamic", ()) and not poetry.get("dependencies"):
        raise UsageError(
            f"`project.dependencies` in `{project.shown}` is dynamic: only running the build "
            "backend tells it",
            hint='name the file it comes from, such as requirements = ["requirements.txt"]',
        )
    if "dependencies" in table:
        texts = _texts(table["dependencies"], "project.dependencies", project)
        yield from _expanded(project, texts, "project.dependencies", seen=frozenset())
    elif poetry:
        yield from poetry_requirements(poetry, origin=project.shown, folder=project.file.parent)


def _extra(project: _Project, name: str, *, seen: frozenset[str]) -> Iterator[Declared]:
    wanted = canonicalize_name(name)
    if wanted in seen:
        return
    poetry = project.data.get("tool", {}).get("poetry", {})
    if name in poetry.get("extras", {}):
        yield from poetry_extra(poetry, name, origin=project.shown, folder=project.file.parent)
        return
    tables = project.data.get("project", {}).get("optional-dependencies", {})
    extras = {canonicalize_name(key): key for key in tables}
    if wanted not in extras:
        near = nearest(wanted, tuple(extras))
        hint = f"did you mean `extra:{near}`?" if near else None
        raise UsageError(f"`{project.shown}` has no extra `{name}`", hint=hint)
    key = extras[wanted]
    where = f"project.optional-dependencies.{key}"
    texts = _texts(tables[key], where, project)
    yield from _expanded(project, texts, where, seen=seen | {wanted})


def _expanded(
    project: _Project, texts: Sequence[str], where: str, *, seen: frozenset[str]
) -> Iterator[Declared]:
    """Parse each text; a requirement on the project itself becomes what its extras ask for."""
    for text in texts:
        requirement = _parse(text, where, project)
        if canonicalize_name(requirement.name) != project.name or not project.name:
            yield Declared(requirement=requirement, origin=f"{project.shown} ({where})")
            continue
        for extra in sorted(requirement.extras):
            for declared in _extra(project, extra, seen=seen):
                yield _under(declared, requirement)


def _under(declared: Declared, outer: Requirement) -> Declared:
    """Put the marker of a self-reference around what it expands to."""
    if outer.marker is None:
        return declared
    text = str(declared.requirement)
    if declared.requirement.marker is None:
        joined = Requirement(f"{text} ; {outer.marker}")
    else:
        bare = Requirement(text)
        bare.marker = None
        joined = Requirement(f"{bare} ; ({outer.marker}) and ({declared.requirement.marker})")
    return replace(declared, requirement=joined)


def _group(project: _Project, name: str) -> Iterator[Declared]:
    from packaging.dependency_groups import (  # noqa: PLC0415 -- loaded only for groups
        resolve_dependency_groups,
    )

    groups = project.data.get("dependency-groups", {})
    where = f"dependency-groups.{name}"
    known = {canonicalize_name(key) for key in groups}
    poetry = project.data.get("tool", {}).get("poetry", {})
    if name in poetry.get("group", {}) and canonicalize_name(name) not in known:
        yield from poetry_group(poetry, name, origin=project.shown, folder=project.file.parent)
        return
    if canonicalize_name(name) not in known:
        near = nearest(name, tuple(groups))
        hint = f"did you mean `group:{near}`?" if near else None
        raise UsageError(f"`{project.shown}` has no dependency group `{name}`", hint=hint)
    try:
        texts = resolve_dependency_groups(groups, name)
    except Exception as error:
        raise UsageError(f"`{where}` in `{project.shown}`: {_worded(error)}") from error
    yield from _expanded(project, texts, where, seen=frozenset())


def _worded(error: BaseException) -> str:
    """Word an error of packaging, or the first of a group of them, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error).strip().split("\n", 1)[0].rstrip(".")


def _texts(value: object, where: str, project: _Project) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"`{where}` in `{project.shown}` must be a list of strings")
    return value


def _parse(text: str, where: str, project: _Project) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(
            f"`{where}` in `{project.shown}`: `{text}` is not a requirement (PEP 508)"
        ) from error


def _constraints(project: _Project) -> Iterator[Declared]:
    """Read what uv narrows: `tool.uv.constraint-dependencies`."""
    where = "tool.uv.constraint-dependencies"
    table = project.data.get("tool", {}).get("uv", {})
    for text in _texts(table.get("constraint-dependencies", []), where, project):
        requirement = _parse(text, where, project)
        yield Declared(requirement=requirement, origin=f"{project.shown} ({where})")


def _close_over_local_projects(
    found: tuple[LocalProject, ...], *, root: Path
) -> tuple[tuple[LocalProject, ...], tuple[Path, ...]]:
    """Add the local projects that local projects need, which no index could provide."""
    closed = list(found)
    files: list[Path] = []
    known = {each.path for each in found} | {root}
    for each in closed:
        file = each.path / "pyproject.toml"
        if not file.is_file():
            continue
        files.append(file)
        project = _Project(file, root, load_pyproject(file, root))
        sources: Sources = read_sources(project.data, folder=each.path, origin=project.shown)
        references = ["project", *(f"extra:{extra}" for extra in each.extras)]
        for declared in _entries(project, references):
            entry: Entry = sources.apply(declared)
            if entry.local is not None and entry.local.path not in known:
                known.add(entry.local.path)
                closed.append(entry.local)
    return tuple(closed), tuple(files)
