"""Recognizes distributions whose metadata was thrown away, by the names of their folders.

Some tools delete `.dist-info` to save bytes. What is found here is a guess and is told as one.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from packager.model.found import FoundFile, Opened
from packager.model.owned import OwnedDistribution

_DATA = Path(__file__).parent / "data" / "import-names.toml"
_LARGEST_READ_BYTES = 256 << 10
_ROOTS = re.compile(r"(?:(?:python|var/task|opt/python)/)?(?:(?:.*/)?(?:site|dist)-packages/)?")
_MODULE_END = re.compile(r"(?:\.(?:cpython-\d+[a-z]*-[\w-]+|abi3))?\.(?:py|pyc|so)$")
_VERSION = re.compile(
    rb"^(?:__version__|version|VERSION)(?:\s*:\s*str)?\s*(?:=\s*\w+\s*)*=\s*['\"]([0-9][\w.+!-]*)['\"]",
    re.MULTILINE,
)
_VERSION_FILES = (
    "_version.py", "version.py", "__about__.py", "__version__.py", "package_data.py", "__init__.py",
)  # fmt: skip


def guess_distributions(
    opened: Opened, left: Sequence[FoundFile], roots: Iterable[str]
) -> tuple[list[OwnedDistribution], list[FoundFile]]:
    """Split the files that no metadata claims into guessed distributions and the rest.

    `roots` are folders that something is installed in. A folder counts when it has the import
    name of a well-known distribution and is a package or holds compiled modules.
    """
    known = _known_names()
    groups: dict[tuple[str, str], list[FoundFile]] = {}
    rest: list[FoundFile] = []
    installed = sorted(roots, key=len, reverse=True)
    for file in left:
        root = _root_of(file.path, installed)
        name = _distribution_of(file.path[len(root) :], known)
        if name is None:
            rest.append(file)
        else:
            groups.setdefault((root, name), []).append(file)
    found = []
    for (root, name), files in groups.items():
        if any(file.path.endswith((".py", ".so", ".pyc")) for file in files):
            found.append(_guessed(opened, root, name, files))
        else:
            rest.extend(files)
    return found, rest


def import_names(distribution: str) -> frozenset[str]:
    """Return the dotted names that `distribution` (normalized) is imported by, as far as known."""
    known = {name for name, owner in _known_names().items() if owner == distribution}
    return frozenset(known or {distribution.replace("-", "_")})


def _root_of(path: str, installed: Sequence[str]) -> str:
    for root in installed:
        if root and path.startswith(root):
            return root
    match = _ROOTS.match(path)
    return match[0] if match is not None else ""


def _distribution_of(path: str, known: Mapping[str, str]) -> str | None:
    top, slash, rest = path.partition("/")
    if not slash:
        return known.get(_MODULE_END.sub("", top)) if _MODULE_END.search(top) else None
    if top.endswith(".libs"):
        name = top.removesuffix(".libs").lower().replace("_", "-")
        return name if name in known.values() else None
    part = rest.partition("/")[0]
    return known.get(f"{top}.{part}") or known.get(top)


def _guessed(opened: Opened, root: str, name: str, files: Sequence[FoundFile]) -> OwnedDistribution:
    return OwnedDistribution(
        name=name,
        version=_version(opened, root, files),
        evidence="guess",
        root=root,
        info="",
        requires=(),
        extras=(),
        tags=(),
        asked_for=False,
        missing=(),
        files=tuple(files),
    )


def _version(opened: Opened, root: str, files: Sequence[FoundFile]) -> str:
    """Look for a version in the files that usually state it at the top of a package."""
    wanted = {
        file.path: file
        for file in files
        if file.path.endswith(_VERSION_FILES) and file.path[len(root) :].count("/") == 1
    }
    for ending in _VERSION_FILES:
        for path, file in wanted.items():
            if not path.endswith(f"/{ending}"):
                continue
            try:
                match = _VERSION.search(opened.read(file, _LARGEST_READ_BYTES))
            except OSError:
                continue
            if match is not None:
                return match[1].decode()
    return ""


@cache
def _known_names() -> Mapping[str, str]:
    """Return the distribution for each import name that is known."""
    with _DATA.open("rb") as stream:
        data = tomllib.load(stream)
    known = {name.replace("-", "_"): name for name in data["same"]["names"].split()}
    known.update(data["other"])
    return known
