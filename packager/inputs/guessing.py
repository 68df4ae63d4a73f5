"""What a project means when nobody configured it; each guess says from which sign.

Reads folder listings, small files and the syntax of candidate modules; never runs them.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.inputs.documents import shown
from packager.inputs.handlers import Located, find_module, is_package, names_of, ships
from packager.model.project import Guess

MODULES = ("lambda_function", "app", "handler", "main")
FUNCTIONS = ("lambda_handler", "handler")

_LOCKS = ("uv.lock", "poetry.lock", "Pipfile.lock")
_PLAIN = ("requirements.txt", "requirements.in")


def guess_name(root: Path, pyproject: Mapping[str, Any]) -> Guess:
    """Name the function after the project, else after the folder."""
    project = pyproject.get("project", {}).get("name")
    poetry = pyproject.get("tool", {}).get("poetry", {}).get("name")
    for name, because in (
        (project, "`project.name` in `pyproject.toml`"),
        (poetry, "`tool.poetry.name` in `pyproject.toml`"),
        (root.name, "the name of the folder"),
    ):
        if isinstance(name, str) and (clean := re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")):
            return Guess(setting="function", value=clean[:64], because=because)
    return Guess(setting="function", value="function", because="nothing has a name")


def guess_handler(
    root: Path, name: str, bases: Sequence[Path], *, sources: Sequence[Path] | None = None
) -> tuple[Located, Guess]:
    """Find the function that Lambda shall call.

    `bases` are the folders that modules may be imported from; `name` is the project's; `sources`
    restrict what is looked at. Raises UsageError, saying what was looked for, when there is none.
    """
    found = [
        each for each in _candidates(name, bases) if sources is None or ships(each.file, sources)
    ]
    if not found:
        places = " and ".join(f"`{shown(base, root)}`" for base in bases)
        files = ", ".join(f"`{module}.py`" for module in MODULES)
        raise UsageError(
            "no function to build",
            hint="lpack build --handler src/main.handler",
            details=(
                "looked for `[tool.lpack]` in `pyproject.toml` and for `lpack.toml`,",
                f"then for {' or '.join(f'`{function}`' for function in FUNCTIONS)} in {files},",
                f"in {places} and in the package named like the project",
            ),
        )
    first, *others = found
    because = f"`{shown(first.file, root)}` defines it"
    if others:
        also = ", ".join(f"`{other.handler}`" for other in others[:3])
        because += f"; there is also {also}"
    return first, Guess(setting="handler", value=first.handler, because=because)


def _candidates(name: str, bases: Sequence[Path]) -> Iterator[Located]:
    package = re.sub(r"[-.]+", "_", name).lower()
    for base in bases:
        prefixes = ["", f"{package}."]
        if base.name == "src":
            prefixes += [f"{each}." for each in _packages(base) if each != package]
        for prefix in prefixes:
            for module in MODULES:
                file = find_module(base, prefix + module)
                if file is None or file.suffix != ".py":
                    continue
                function = _function_in(file)
                if function is not None:
                    yield Located(f"{prefix}{module}.{function}", base, file)


def _packages(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.isidentifier())
    except OSError:
        return []
    return [each for each in names if is_package(folder / each)]


def _function_in(file: Path) -> str | None:
    try:
        found = names_of(file.read_bytes(), filename=file.name)
    except OSError:
        return None
    usual = (function for function in FUNCTIONS if function in found.names)
    # A `main` is Lambda's only when it takes what Lambda passes: an event and a context.
    return next(usual, "main" if "main" in found.pairs else None)


def guess_runtime(
    root: Path, pyproject: Mapping[str, Any], *, runtimes: Sequence[str], default: str
) -> Guess:
    """Choose the runtime: `.python-version`, then `requires-python`, then the default.

    `runtimes` are the supported names. A `.python-version` is the one version the project is
    developed with, so it goes before the range, unless the range excludes it. Raises UsageError
    when `requires-python` admits no runtime.
    """
    requires = pyproject.get("project", {}).get("requires-python")
    newest_first = sorted(runtimes, key=_version, reverse=True)
    admitted = newest_first
    if isinstance(requires, str):
        admitted = [runtime for runtime in newest_first if _admits(requires, runtime)]
        if not admitted:
            raise UsageError(
                f'`requires-python = "{requires}"` in `pyproject.toml` admits no Lambda runtime',
                hint=f"the runtimes are {', '.join(runtimes)}",
            )
    pinned = _python_version_file(root)
    if pinned in admitted:
        return Guess(setting="runtime", value=pinned, because="`.python-version` names it")
    if isinstance(requires, str):
        because = f'the newest that `requires-python = "{requires}"` admits'
        return Guess(setting="runtime", value=admitted[0], because=because)
    return Guess(setting="runtime", value=default, because="lpack's default")


def _version(runtime: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", runtime))


def _python_version_file(root: Path) -> str:
    try:
        text = (root / ".python-version").read_text("utf-8", "replace")
    except OSError:
        return ""
    found = re.search(r"^\s*(?:cpython-?|python-?)?(3\.\d+)", text, re.MULTILINE)
    return f"python{found[1]}" if found else ""


def _admits(requires: str, runtime: str) -> bool:
    """Tell whether some patch release of the runtime's Python is in the range."""
    from packaging.specifiers import (  # noqa: PLC0415 -- loaded only when there is a range
        InvalidSpecifier,
        SpecifierSet,
    )

    try:
        specifiers = SpecifierSet(requires)
    except InvalidSpecifier as error:
        raise UsageError(
            f"`project.requires-python` in `pyproject.toml`: `{requires}` is not a version range"
        ) from error
    minor = runtime.removeprefix("python")
    return any(specifiers.contains(f"{minor}.{patch}") for patch in range(30))


def guess_sources(root: Path, located: Located) -> tuple[tuple[Path, ...], Guess]:
    """Choose the user's code that belongs to a handler.

    Below `src/` that is all of it; in a package beside the project file, the package; for a
    plain module everything beside it, because a module may read any file there and leaving one
    out would break the function without a word.
    """
    base, file = located.base, located.file
    if base != root:
        because = f"the folder that `{located.handler}` is imported from"
        return (base,), Guess(setting="source", value=f"{shown(base, root)}/", because=because)
    first = file.relative_to(base).parts[0]
    if first != file.name:
        because = f"the package of `{located.handler}`"
        return (base / first,), Guess(setting="source", value=f"{first}/", because=because)
    because = f"everything beside `{file.name}` except project files"
    return (base,), Guess(setting="source", value=".", because=because)


def guess_requirements(
    root: Path, pyproject: Mapping[str, Any], *, function: str
) -> tuple[tuple[str, ...], Guess]:
    """Choose what to bundle: a PEP 751 lock, a tool's lock, a requirements file, `[project]`."""
    for name, because in _in_order(root, pyproject, function):
        if name is not None:
            return (name,), Guess(setting="requirements", value=name, because=because)
    others = sorted(path.name for path in root.glob("requirements*") if path.is_file())
    because = "no lock, no requirements file and no dependencies were found"
    if others:
        because += f"; choose `{others[0]}` with `--requirements` if that is meant"
    return (), Guess(setting="requirements", value="none", because=because)


def _in_order(
    root: Path, pyproject: Mapping[str, Any], function: str
) -> Iterator[tuple[str | None, str]]:
    """Give what there is, the most exact first; None for what there is not."""

    def first(*names: str) -> str | None:
        return next((name for name in names if (root / name).is_file()), None)

    own = f"pylock.{function}.toml"
    yield first(own, "pylock.toml", *_other_pylocks(root)), "a PEP 751 lock"
    yield first(*_LOCKS), "a lock"
    yield _workspace_lock(root), "the lock of the workspace"
    yield first(*_PLAIN), "a requirements file"
    poetry = pyproject.get("tool", {}).get("poetry", {})
    if pyproject.get("project", {}).get("dependencies") or poetry.get("dependencies"):
        yield "project", "the dependencies in `pyproject.toml`"


def _other_pylocks(root: Path) -> tuple[str, ...]:
    """Give the single `pylock.NAME.toml` there is; several cannot be told apart."""
    found = tuple(path.name for path in root.glob("pylock.*.toml"))
    return found if len(found) == 1 else ()


def _workspace_lock(root: Path) -> str | None:
    """Find the `uv.lock` of the workspace that the project is a member of."""
    for folder in root.parents:
        if not (folder / "uv.lock").is_file():
            continue
        from packager.inputs.uv_sources import (  # noqa: PLC0415 -- loaded only in workspaces
            workspace_members,
            workspace_root,
        )

        if workspace_root(folder) == folder and root in workspace_members(folder).values():
            return "../" * (len(root.parts) - len(folder.parts)) + "uv.lock"
        return None
    return None
