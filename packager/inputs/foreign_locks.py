"""Locks of uv, Poetry and Pipenv: their pins become constraints, their hashes stay binding.

What is asked for comes from the project beside the lock. A lock that no longer fits what is asked
for is refused, because resolving anew would silently build something else.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from packager.errors import UsageError
from packager.inputs.documents import shown
from packager.inputs.locked import LockContents, LockedPackage
from packager.inputs.pipfile import declared_by_lock, read_pipfile, read_pipfile_lock
from packager.inputs.poetry_lock import read_poetry_lock
from packager.inputs.project_tables import read_project
from packager.inputs.uv_lock import read_uv_lock
from packager.model.requirement import Declared, LocalProject, RequirementSet

_COMMANDS = {"uv.lock": "uv lock", "poetry.lock": "poetry lock", "Pipfile.lock": "pipenv lock"}


def read_foreign_lock(lock: Path, references: Sequence[str], *, root: Path) -> RequirementSet:
    """Read `uv.lock`, `poetry.lock` or `Pipfile.lock` together with what the project declares.

    Raises UsageError for git sources and for a stale lock, naming the requirement and the
    command that renews the lock.
    """
    origin = shown(lock, root)
    if lock.name == "Pipfile.lock":
        contents = read_pipfile_lock(lock, references, root=root)
        file = lock.with_name("Pipfile")
        if file.is_file():
            asked = read_pipfile(file, references, root=root)
        else:
            declared = tuple(declared_by_lock(contents, origin))
            asked = RequirementSet(declared=declared, roots_known=False)
    else:
        read = read_uv_lock if lock.name == "uv.lock" else read_poetry_lock
        contents = read(lock, references, root=root)
        asked = read_project(references, root=root)
    _refuse_stale(asked, contents, lock=lock, origin=origin)
    return _joined(asked, contents, lock=lock, origin=origin)


def _joined(
    asked: RequirementSet, contents: LockContents, *, lock: Path, origin: str
) -> RequirementSet:
    hashes: dict[tuple[str, str], frozenset[str]] = {}
    for package in contents.packages:
        if package.sha256:
            key = (package.name, str(package.version))
            hashes[key] = hashes.get(key, frozenset()) | package.sha256
    links = (*asked.indexes.find_links, *contents.find_links)
    return replace(
        asked,
        constraints=(
            *asked.constraints,
            *(package.constraint(origin) for package in contents.packages),
        ),
        local_projects=_joined_projects(asked.local_projects, contents.local_projects),
        hashes=hashes,
        require_hashes=all(package.sha256 for package in contents.packages),
        indexes=replace(asked.indexes, find_links=tuple(dict.fromkeys(links))),
        files=(lock, *asked.files),
        title=origin,
    )


def _joined_projects(
    declared: tuple[LocalProject, ...], locked: tuple[LocalProject, ...]
) -> tuple[LocalProject, ...]:
    """Keep what was declared, with its extras and markers; add what only the lock knows of."""
    known = {project.path for project in declared}
    return (*declared, *(project for project in locked if project.path not in known))


def _refuse_stale(
    asked: RequirementSet, contents: LockContents, *, lock: Path, origin: str
) -> None:
    by_name: dict[str, list[LockedPackage]] = {}
    for package in contents.packages:
        by_name.setdefault(package.name, []).append(package)
    for declared in asked.declared:
        reason = _why_stale(declared, by_name.get(declared.name, []), contents)
        if reason is not None:
            raise UsageError(
                f"`{origin}` is stale: {reason} (asked for in {declared.origin})",
                hint=_COMMANDS[lock.name],
            )


def _why_stale(
    declared: Declared, locked: Sequence[LockedPackage], contents: LockContents
) -> str | None:
    requirement = declared.requirement
    if not locked:
        # Under a marker that no supported Python fulfils, the lock rightly holds nothing.
        if requirement.marker is not None and declared.name in contents.named:
            return None
        return f"it does not hold `{requirement}`"
    if requirement.url is not None:
        return None
    fitting = [
        package
        for package in locked
        if requirement.specifier.contains(package.version, prereleases=True)
    ]
    if fitting:
        return None
    versions = ", ".join(str(package.version) for package in locked)
    return f"`{requirement}` does not admit the locked {versions}"
