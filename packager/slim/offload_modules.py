"""Which imports need the files of a distribution that is not there yet. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_MODULE = re.compile(r"^(?P<stem>[^./]+)(?:\.(?:cpython-[\w-]+|abi3))?\.(?:py|so|pyc)$")
_METADATA = (".dist-info", ".egg-info")


class ModuleNames(NamedTuple):
    """What a distribution can be asked for.

    `modules` are dotted names: regular packages and modules that lie in no package, or in
    namespaces only. `spaces` are those namespaces (PEP 420), and folders of data that can be
    imported as one. `packages` are the folders of the regular packages among `modules`. `pth`
    tells of files that Python's start-up would read.
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
    packages = {name.rpartition("/")[0] for name in names if _module(name) == "__init__"}
    modules: set[str] = set()
    spaces: set[str] = set()
    roots: set[str] = set()
    for name in names:
        module = _module(name)
        folders = name.split("/")[:-1]
        if not all(each.isidentifier() for each in folders):
            continue
        if module is None:
            if folders:
                spaces.add(folders[0])
            continue
        above = ["/".join(folders[: n + 1]) for n in range(len(folders))]
        root = next((folder for folder in above if folder in packages), None)
        if root is not None:
            roots.add(root)
        path = root or "/".join([*folders, module])
        modules.add(path.replace("/", "."))
        spaces.update(folder.replace("/", ".") for folder in above if len(folder) < len(path))
    tops = {root for root in roots if "/" not in root}
    return ModuleNames(
        modules=tuple(sorted(modules)),
        spaces=tuple(sorted(spaces - modules - tops)),
        packages=tuple(sorted(roots)),
        pth=any("/" not in name and name.endswith((".pth", ".start")) for name in names),
    )


def _module(name: str) -> str | None:
    found = _MODULE.match(name.rpartition("/")[2])
    return found["stem"] if found and found["stem"].isidentifier() else None
