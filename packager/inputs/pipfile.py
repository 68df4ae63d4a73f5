"""`Pipfile` and `Pipfile.lock` (pipenv documentation, "Pipfile & Pipfile.lock")."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from packager.errors import UsageError
from packager.inputs.documents import joined, load_toml, read_text, shown
from packager.inputs.forms import PIPENV_TABLE, check_form
from packager.inputs.locked import LockContents, LockedPackage, digests, from_git
from packager.inputs.requirement_line import Entry, exact_version, local_project
from packager.inputs.requirements_txt import expand_environment
from packager.model.requirement import Declared, IndexSettings, LocalProject, RequirementSet
from packager.parsing import parse_json

Table = Mapping[str, Any]

_MARKER_KEYS = ("os_name", "sys_platform", "platform_machine", "python_version")


def categories(references: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Map references to tables of the Pipfile and of the lock: `group:NAME` is a category."""
    named = [each.partition(":")[2] for each in references if each.startswith("group:")]
    spoken = {"dev": ("dev-packages", "develop"), "develop": ("dev-packages", "develop")}
    return (("packages", "default"), *(spoken.get(name, (name, name)) for name in named))


def read_pipfile(file: Path, references: Sequence[str], *, root: Path) -> RequirementSet:
    """Read what a `Pipfile` asks for. Raises UsageError."""
    document = load_toml(file, root)
    named = categories(references)
    check_form(document, {f"{name}?": PIPENV_TABLE for name, _ in named}, file=shown(file, root))
    declared: list[Declared] = []
    local: list[LocalProject] = []
    for table, _ in categories(references):
        for name, value in document.get(table, {}).items():
            entry = _entry(name, value, origin=f"{shown(file, root)} ({table}.{name})", file=file)
            declared += [entry.declared] if entry.declared else []
            local += [entry.local] if entry.local else []
    return RequirementSet(
        declared=tuple(declared),
        local_projects=tuple(local),
        indexes=_indexes(document.get("source", [])),
        files=(file,),
        title=shown(file, root),
    )


def read_pipfile_lock(lock: Path, references: Sequence[str], *, root: Path) -> LockContents:
    """Read the pins of a `Pipfile.lock`. Raises UsageError for git sources."""
    name = shown(lock, root)
    try:
        document = parse_json(read_text(lock, root))
    except ValueError as error:
        raise UsageError(f"`{name}` is not JSON: {error}") from error
    form = {f"{table}?": PIPENV_TABLE for _, table in categories(references)}
    check_form(document, form, file=name, hint="pipenv lock")
    packages: list[LockedPackage] = []
    local: list[LocalProject] = []
    for _, table in categories(references):
        for key, value in document.get(table, {}).items():
            entry = _entry(key, value, origin=name, file=lock)
            local += [entry.local] if entry.local else []
            if entry.declared is None:
                continue
            version = exact_version(entry.declared.requirement)
            if version is None:
                raise UsageError(f"`{name}`: `{key}` has no exact version", hint="pipenv lock")
            sha256 = digests(value.get("hashes") if isinstance(value, dict) else None)
            url = entry.declared.requirement.url
            packages.append(LockedPackage(entry.declared.name, version, None, sha256, url))
    return LockContents(tuple(packages), tuple(local))


def _entry(name: str, value: object, *, origin: str, file: Path) -> Entry:
    table = {"version": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        raise UsageError(f"{origin}: neither a version nor a table")
    if any(key in table for key in ("git", "hg", "svn", "bzr")):
        raise from_git(name, origin)
    extras = tuple(sorted(table.get("extras", ())))
    marker = _marker(table)
    location = table.get("path") or table.get("file")
    if isinstance(location, str) and "://" not in location:
        path = joined(file.parent, location)
        if path.is_dir():
            return Entry(local=local_project(path, origin=origin, extras=extras, marker=marker))
        location = path.as_uri()
    version = table.get("version", "*")
    suffix = f"[{','.join(extras)}]" if extras else ""
    target = f" @ {location}" if location else _specifier(version, origin)
    end = f" ; {marker}" if marker else ""
    text = f"{canonicalize_name(name)}{suffix}{target}{end}"
    try:
        return Entry(declared=Declared(requirement=Requirement(text), origin=origin))
    except InvalidRequirement as error:
        raise UsageError(f"{origin}: `{text}` is not a requirement") from error


def _specifier(version: object, origin: str) -> str:
    text = str(version).strip()
    if text == "*":
        return ""
    if text[:1].isdigit():
        text = f"=={text}"
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier as error:
        raise UsageError(f"{origin}: `{text}` is not a version range") from error


def _marker(table: Table) -> str | None:
    parts = [f"{key} {table[key]}" for key in _MARKER_KEYS if isinstance(table.get(key), str)]
    if table.get("markers"):
        parts.append(f"({table['markers']})")
    return " and ".join(parts) or None


def _indexes(sources: object) -> IndexSettings:
    """Read `[[source]]`: the first is the index, the others are further ones."""
    urls = [
        expand_environment(source["url"])
        for source in (sources if isinstance(sources, list) else [])
        if isinstance(source, dict) and isinstance(source.get("url"), str)
    ]
    return IndexSettings(index_url=urls[0] if urls else None, extra_index_urls=tuple(urls[1:]))


def declared_by_lock(contents: LockContents, origin: str) -> Iterator[Declared]:
    """Take every pin as asked for, when no Pipfile tells what was."""
    for package in contents.packages:
        yield package.constraint(origin)
