"""Which imports need the files of a distribution that is not there yet. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_MODULE = re.compile(r"^(?P<stem>[^./]+)(?:\.(?:cpython-[\w-]+|abi3))?\.(?:py|so|pyc)$")
_METADATA = (".dist-info", ".egg-info")


class ModuleNames(NamedTuple):
    """What a distribution can be asked for.

    `modules` are the files of its outermost modules: of regular packages, and of modules that lie
    in no package or in namespaces only. `spaces` are the dotted names of those namespaces (PEP
    420), and of folders of data that can be imported as one. `packages` are the folders of the
    regular packages among `modules`. `pth` tells of files that Python's start-up would read.
    """

    modules: tuple[str, ...]
    spaces: tuple[str, ...]
    packages: tuple[str, ...]
    pth: bool


def is_metadata(name: str) -> bool:
    """Tell whether the file is metadata, which stays in the zip for `importlib.metadata`."""
    return name.partition("/")[0].endswith(_METADATA)


def module_names(files: Iterable[str]) -> ModuleNames:
    """Return what the files, without metadata, can be asked for."""
    names = [name for name in files if not is_metadata(name)]
    found = {name: stem for name in names if (stem := _stem(name)) is not None}
    packages = {stem.removesuffix("/__init__") for stem in found.values() if _is_package(stem)}
    outermost: dict[str, list[str]] = {}
    spaces: set[str] = set()
    for name in names:
        folders = name.split("/")[:-1]
        if not all(each.isidentifier() for each in folders):
            continue
        above = ["/".join(folders[: n + 1]) for n in range(len(folders))]
        root = next((folder for folder in above if folder in packages), None)
        if root is None and name not in found:
            spaces.update(above[:1])
            continue
        path = root or found[name]
        if found.get(name) in {path, f"{path}/__init__"}:
            outermost.setdefault(path, []).append(name)
        spaces.update(folder for folder in above if len(folder) < len(path))
    return ModuleNames(
        modules=tuple(sorted(min(each, key=_preference) for each in outermost.values())),
        spaces=tuple(sorted(each.replace("/", ".") for each in spaces - outermost.keys())),
        packages=tuple(sorted(outermost.keys() & packages)),
        pth=any("/" not in name and name.endswith((".pth", ".start")) for name in names),
    )


def _is_package(stem: str) -> bool:
    return stem.endswith("/__init__")


def _stem(name: str) -> str | None:
    """Return the path of the module that the file is, without its ending; None for data."""
    folder, slash, base = name.rpartition("/")
    found = _MODULE.match(base)
    if (
        not found
        or not found["stem"].isidentifier()
        or (base.startswith("__init__.") and not slash)
    ):
        return None
    return f"{folder}{slash}{found['stem']}"


def _preference(name: str) -> tuple[bool, int]:
    """Order files of one module as the import system does: packages, extensions, source."""
    return "/__init__." not in name, ("so", "py", "pyc").index(name.rpartition(".")[2])
