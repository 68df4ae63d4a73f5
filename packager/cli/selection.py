"""Which of many functions a run builds: those a change touches, and one share of a CI matrix."""

import hashlib
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.model.project import Function
from packager.parsing import parse_toml
from packager.pipeline.build import inputs_of
from packager.wheels.store import Store

_TOOLS = ("lpack", "poetry", "uv")
"""Tables of `[tool]` that decide what is built."""


def shard_of(functions: Sequence[Function], shard: str) -> tuple[Function, ...]:
    """Return the functions of share `3/10`: a function stays in its share when others come and go.

    Raises UsageError for what is no share.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})", shard)
    if not found or int(found[1]) > int(found[2]):
        raise UsageError(f"`--shard {shard}` is no share", hint="lpack build --shard 1/4")
    number, count = int(found[1]), int(found[2])
    return tuple(each for each in functions if _place(each.name) % count == number - 1)


def _place(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])


def changed_since(
    functions: Sequence[Function], reference: str, root: Path, *, store: Store
) -> tuple[Function, ...]:
    """Return the functions that a change since the git commit `reference` touches.

    A change touches a function when it is in its sources, in a file its dependencies are read
    from, or in the part of the configuration that is about it. Files that git does not know and
    does not ignore count as changed. Raises UsageError when git cannot tell.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{reference}^{{commit}}")
    known = commit.decode().strip()
    names = _git(top, "diff", "--name-only", "--no-renames", "-z", known, "--")
    names += _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    changed = {top / name.decode(errors="surrogateescape") for name in names.split(b"\0") if name}
    configurations = _Configurations(top, known, changed)
    return tuple(
        each
        for each in functions
        if _in_sources(each, changed)
        or not changed.isdisjoint(_read_by(each, store) - configurations.of(each))
        or configurations.differ(each)
    )


def _in_sources(function: Function, changed: set[Path]) -> bool:
    sources = [source.resolve() for source in function.sources]
    ours = {path.resolve() for path in function.configuration_files}
    return any(path.is_relative_to(source) for path in changed - ours for source in sources)


def _read_by(function: Function, store: Store) -> set[Path]:
    """Return the files that decide the dependencies, as named and as the last build read them."""
    named = [function.root / each for each in function.requirements if ":" not in each]
    beside = [path for path in (function.catalog, function.trace) if path is not None]
    read = [Path(path) for path in inputs_of(function, store=store)]
    return {path.resolve() for path in (*named, *beside, *read)}


class _Configurations:
    """The configuration files then and now."""

    def __init__(self, top: Path, commit: str, changed: set[Path]) -> None:
        self._top = top
        self._commit = commit
        self._changed = changed
        self._known: dict[Path, tuple[Any, Any]] = {}

    def of(self, function: Function) -> set[Path]:
        paths = (*function.configuration_files, function.root / "pyproject.toml")
        return {path.resolve() for path in paths}

    def differ(self, function: Function) -> bool:
        """Tell whether what concerns `function` is not what it was."""
        for path in self.of(function) & self._changed:
            if path not in self._known:
                self._known[path] = (self._then(path), _parsed(_content(path)))
            then, now = self._known[path]
            if then is None or now is None:
                return True
            if _concerning(then, function.name) != _concerning(now, function.name):
                return True
        return False

    def _then(self, path: Path) -> dict[str, Any] | None:
        name = path.relative_to(self._top).as_posix()
        shown = subprocess.run(
            ["git", "show", f"{self._commit}:{name}"],
            cwd=self._top,
            capture_output=True,
            check=False,
        )
        return _parsed(shown.stdout) if shown.returncode == 0 else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        return parse_toml(text.decode())
    except ValueError:
        return None


def _concerning(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what of a `pyproject.toml` or `lpack.toml` the function called `name` depends on."""
    kept = {key: value for key, value in document.items() if key not in {"tool", "functions"}}
    tools = document.get("tool", {})
    kept["tool"] = {tool: tools[tool] for tool in _TOOLS if tool in tools}
    for place in (document, tools.get("lpack", {})):
        own = place.get("functions", {}).get(name)
        if own is not None:
            kept["own"] = own
    lpack = kept["tool"].get("lpack")
    if lpack is not None:
        kept["tool"]["lpack"] = {k: v for k, v in lpack.items() if k != "functions"}
    return kept


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cannot be asked what changed: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise UsageError(
            f"git cannot tell what changed: {said or 'it failed'}",
            hint="git fetch --unshallow, or build without --changed-since",
        )
    return done.stdout
