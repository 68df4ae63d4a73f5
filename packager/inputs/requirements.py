"""The references of a function (`project`, `extra:NAME`, files) become one set of requirements."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement

from packager.errors import UsageError
from packager.inputs.documents import joined, shown
from packager.inputs.nearest import nearest
from packager.inputs.project_tables import read_project
from packager.inputs.requirements_txt import parse_requirements_file
from packager.model.project import Function
from packager.model.requirement import Declared, IndexSettings, LocalProject, RequirementSet

_FOREIGN = ("uv.lock", "poetry.lock", "Pipfile.lock")


def read_requirements(function: Function) -> RequirementSet:
    """Read and merge everything that a function refers to.

    A lock decides versions; what is asked for comes from the project beside it. Raises
    UsageError naming the file, the line or the table.
    """
    root = function.root
    references = _in_project(function.requirements)
    files = [reference for reference in function.requirements if reference not in references]
    sets: list[RequirementSet] = []
    locks: list[Path] = []
    for reference in files:
        path = _existing(reference, root)
        if path.name in _FOREIGN or is_pylock(path.name):
            locks.append(path)
        elif path.name == "pyproject.toml" and path.parent == root:
            references = ("project", *references)
        elif path.suffix == ".toml":
            raise UsageError(
                f"`{reference}` is neither a requirements file nor a lock that lpack reads",
                hint="a PEP 751 lock is called `pylock.toml` or `pylock.NAME.toml`",
            )
        else:
            sets.append(parse_requirements_file(path, root=root))
    if len(locks) > 1:
        names = " and ".join(f"`{shown(lock, root)}`" for lock in locks)
        raise UsageError(f"`requirements` names several locks: {names}", hint="keep one of them")
    if locks:
        sets.insert(0, _read_lock(locks[0], references, root=root))
    elif references:
        sets.insert(0, read_project(tuple(dict.fromkeys(references)), root=root))
    return _settled(_merge(sets), function)


def is_pylock(name: str) -> bool:
    """Tell whether PEP 751 gives this name to locks: `pylock.toml` or `pylock.NAME.toml`."""
    parts = name.split(".")
    return parts[0] == "pylock" and parts[-1] == "toml" and len(parts) in {2, 3}


def _in_project(requirements: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        each for each in requirements if each == "project" or each.startswith(("extra:", "group:"))
    )


def _existing(reference: str, root: Path) -> Path:
    path = joined(root, reference)
    if path.is_file():
        return path
    known = [each.name for each in path.parent.glob("*") if each.is_file()]
    likely = [name for name in known if name.endswith((".txt", ".in", ".lock")) or is_pylock(name)]
    near = nearest(path.name, likely) or nearest(path.name, known)
    if near is not None:
        hint: str | None = f"did you mean `{shown(path.with_name(near), root)}`?"
    else:
        hint = "`project`, `extra:NAME`, `group:NAME`, or a file" if "." not in reference else None
    raise UsageError(f"`requirements`: there is no file `{reference}`", hint=hint)


def _read_lock(lock: Path, references: Sequence[str], *, root: Path) -> RequirementSet:
    if not is_pylock(lock.name):
        from packager.inputs.foreign_locks import (  # noqa: PLC0415 -- loaded only for such locks
            read_foreign_lock,
        )

        return read_foreign_lock(lock, references or ("project",), root=root)
    asked = _asked(lock, references, root=root)
    if asked is None:
        return RequirementSet(lock=lock, roots_known=False, files=(lock,), title=shown(lock, root))
    return replace(asked, lock=lock, files=(lock, *asked.files), title=shown(lock, root))


def _asked(lock: Path, references: Sequence[str], *, root: Path) -> RequirementSet | None:
    """Read what the project declares, when it declares anything; a lock needs no project."""
    if references:
        return read_project(references, root=root)
    if lock.parent != root or not (root / "pyproject.toml").is_file():
        return None
    try:
        asked = read_project(("project",), root=root)
    except UsageError:
        return None
    return asked if asked.declared or asked.local_projects else None


def _merge(sets: Sequence[RequirementSet]) -> RequirementSet:
    """Put several sets into one; index settings of the first set that has them go first."""
    if len(sets) == 1:
        return sets[0]
    hashes: dict[tuple[str, str], frozenset[str]] = {}
    for each in sets:
        for key, digests in each.hashes.items():
            hashes[key] = hashes.get(key, frozenset()) | digests
    return RequirementSet(
        declared=tuple(item for each in sets for item in each.declared),
        constraints=tuple(item for each in sets for item in each.constraints),
        local_projects=tuple(item for each in sets for item in each.local_projects),
        hashes=hashes,
        require_hashes=any(each.require_hashes for each in sets),
        lock=next((each.lock for each in sets if each.lock), None),
        roots_known=all(each.roots_known for each in sets),
        indexes=_merge_indexes([each.indexes for each in sets]),
        prereleases=any(each.prereleases for each in sets),
        files=tuple(dict.fromkeys(file for each in sets for file in each.files)),
        title=", ".join(each.title for each in sets),
    )


def _merge_indexes(settings: Sequence[IndexSettings]) -> IndexSettings:
    return IndexSettings(
        index_url=next((each.index_url for each in settings if each.index_url), None),
        extra_index_urls=tuple(
            dict.fromkeys(url for each in settings for url in each.extra_index_urls)
        ),
        find_links=tuple(dict.fromkeys(link for each in settings for link in each.find_links)),
        no_index=any(each.no_index for each in settings),
    )


def _settled(merged: RequirementSet, function: Function) -> RequirementSet:
    """Let the configured indexes win, and take the project itself out of the local projects.

    `-e .` in a requirements file means the function's own code, which ships as source; what it
    adds is the project's dependencies.
    """
    own = [each for each in merged.local_projects if each.path == function.root]
    if own:
        others = tuple(each for each in merged.local_projects if each.path != function.root)
        added = read_project(_own_references(own), root=function.root)
        merged = _merge([replace(merged, local_projects=others), added])
    extra = tuple(
        Declared(requirement=Requirement(text), origin=origin)
        for text, origin in function.added_requirements
    )
    merged = replace(merged, declared=(*merged.declared, *extra))
    indexes = merged.indexes
    if function.index_url is not None:
        indexes = replace(indexes, index_url=function.index_url)
    if function.extra_index_urls:
        indexes = replace(indexes, extra_index_urls=function.extra_index_urls)
    if function.index_strategy is not None:
        indexes = replace(indexes, strategy=function.index_strategy)
    return replace(merged, indexes=indexes)


def _own_references(own: Sequence[LocalProject]) -> tuple[str, ...]:
    extras = sorted({extra for each in own for extra in each.extras})
    return ("project", *(f"extra:{extra}" for extra in extras))
