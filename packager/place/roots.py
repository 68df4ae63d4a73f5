"""Folders that Python looks for modules in: what one of them hides of another. Pure.

A function's files lie in /var/task and its layers' in /opt. Python takes a regular package (one
with `__init__`) from the first folder that has it, whole; only namespace packages (PEP 420) and
those whose `__init__` extends `__path__` (pkgutil, pkg_resources) are put together from several.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from packager.errors import CannotBuild

_EXTENDS = (b"extend_path", b"declare_namespace")
Owners = Mapping[str, str]


class Root(NamedTuple):
    """One folder of `sys.path`: who owns each file below it, and how the file is read.

    `title` is for people; owners are `NAME VERSION`, or empty for the user's own code.
    """

    title: str
    owners: Owners
    read: Callable[[str], bytes]


def refuse_split_packages(roots: Sequence[Root]) -> None:
    """Raise CannotBuild when a package in one of `roots`, in sys.path's order, hides another's."""
    trees = [(root, _children(root.owners)) for root in roots]
    for root, name, other, hidden in _hidden(trees, ""):
        raise CannotBuild(
            f"`{name}` of {_owner(root, name)} in {root.title} hides `{hidden}` of "
            f"{_owner(other, hidden)} in {other.title}: Python takes a package from one folder",
            hint="put both distributions into the zip, or into one layer: "
            'distributions = ["…", "…"]',
        )


def refuse_overwriting(layers: Sequence[tuple[str, Mapping[str, tuple[int, int]]]]) -> None:
    """Raise CannotBuild when two layers have different files, or a file and a folder, of one name.

    Layers are merged at /opt, where a later one overwrites an earlier one (Lambda Developer Guide,
    packaging-layers). `layers` maps the names of each layer to (crc32, uncompressed bytes).
    """
    first: dict[str, tuple[str, tuple[int, int]]] = {}
    folders: dict[str, str] = {}
    for layer, files in layers:
        for name, facts in files.items():
            other, theirs = first.setdefault(name, (layer, facts))
            if theirs != facts:
                raise _overwritten(other, layer, name)
            parent = name.rpartition("/")[0]
            while parent and parent not in folders:
                folders[parent] = layer
                parent = parent.rpartition("/")[0]
    for name in first.keys() & folders.keys():
        raise _overwritten(first[name][0], folders[name], name)


def _overwritten(one: str, two: str, name: str) -> CannotBuild:
    return CannotBuild(
        f"the layers `{one}` and `{two}` both have `{name}`, with different contents",
        hint="leave one of them out of `layers`: at /opt the later one would overwrite the other",
    )


_Tree = Mapping[str, "set[str]"]


def _children(owners: Owners) -> _Tree:
    """Return the names in every folder; the top folder is the empty name."""
    children: dict[str, set[str]] = {}
    for path in owners:
        name = path
        while name:
            parent = name.rpartition("/")[0]
            known = children.setdefault(parent, set())
            if name in known:
                break
            known.add(name)
            name = parent
    return children


def _hidden(
    trees: Sequence[tuple[Root, _Tree]], folder: str
) -> Iterator[tuple[Root, str, Root, str]]:
    """Yield (root, `__init__` that wins, root that loses, file it loses) below `folder`."""
    counted: dict[str, int] = {}
    for _, tree in trees:
        for name in tree.get(folder, ()):
            if name in tree:
                counted[name] = counted.get(name, 0) + 1
    for name in sorted(name for name, count in counted.items() if count > 1):
        having = [(root, tree) for root, tree in trees if name in tree]
        winner = next((each for each in having if _init(each[1], name)), None)
        if winner is None:
            yield from _hidden(having, name)
            continue
        init = _init(winner[1], name)
        if any(word in winner[0].read(init) for word in _EXTENDS):
            yield from _hidden(having, name)
            continue
        for root, _ in having:
            if root is not winner[0]:
                lost = sorted(
                    path
                    for path in root.owners
                    if path.startswith(f"{name}/") and path not in winner[0].owners
                )
                if lost:
                    yield winner[0], init, root, lost[0]


def _init(tree: _Tree, package: str) -> str:
    """Return the `__init__` of `package`, empty when it is none."""
    prefix = f"{package}/__init__."
    return min((name for name in tree[package] if name.startswith(prefix)), default="")


def _owner(root: Root, name: str) -> str:
    return root.owners[name] or "your code"
