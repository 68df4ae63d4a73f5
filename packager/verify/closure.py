"""Whether the dynamic loader finds every library a bundle needs, by the rules of ld.so(8). Pure.

For a name without a slash the loader takes a library of that soname that is loaded already; then
looks into DT_RPATH of the library that needs it and of those that loaded that one (unless the
library has a DT_RUNPATH), into LD_LIBRARY_PATH, into DT_RUNPATH, and into the system's folders.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packager.model.runtime_system import RuntimeSystem
from packager.verify.libraries import Library

TASK = "/var/task"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unresolved:
    """A library that `needing` names and the loader does not find.

    `elsewhere` is where the bundle has a library of that name all the same, or empty.
    """

    needing: Library
    soname: str
    elsewhere: str


@dataclass(slots=True)
class _Process:
    """What is loaded when one library of the bundle is loaded into an empty process."""

    names: set[str] = field(default_factory=set)
    waiting: list[tuple[Library, tuple[str, ...]]] = field(default_factory=list)


class Loader:
    """Looks libraries up as the dynamic loader of `system` would, in /var/task and /opt."""

    def __init__(self, libraries: Sequence[Library], system: RuntimeSystem) -> None:
        """Libraries for other machines are passed over, as the loader does."""
        self._system = system
        self._loadable = [
            library
            for library in libraries
            if library.facts.machine == system.target.machine and library.facts.bits == 64
        ]
        self._by_path: Mapping[str, Library] = {
            _place(library): library for library in self._loadable
        }
        self._by_name: dict[str, str] = {}
        for library in self._loadable:
            for name in _names(library):
                self._by_name.setdefault(name, library.path)

    def unresolved(self) -> list[Unresolved]:
        """Return what is not found when each library is loaded by itself, each fault once.

        A library that others of the bundle load is judged as they load it: it may inherit their
        DT_RPATH. Only what none of them reaches is loaded by itself.
        """
        needed = {posixpath.basename(each) for x in self._loadable for each in x.facts.needed}
        faults: dict[tuple[str, str], Unresolved] = {}
        visited: set[str] = set()
        for root in sorted(self._loadable, key=lambda each: bool(_names(each) & needed)):
            if root.path not in visited:
                for fault in self._load(root, visited):
                    faults.setdefault((fault.needing.path, fault.soname), fault)
        return list(faults.values())

    def uses_system(self, library: Library, soname: str) -> bool:
        """Tell whether `soname` is the system's for `library`: it has it and no DT_RPATH wins."""
        found = self._in_bundle(library, soname, _rpath(library))
        folders = {posixpath.dirname(_place(found))} if found is not None else set()
        return soname in self._system.sonames and not folders & set(_rpath(library))

    def _load(self, root: Library, visited: set[str]) -> Iterator[Unresolved]:
        process = _Process(waiting=[(root, _rpath(root))])
        # The loader works breadth first, so that what a sibling loads is there for the children.
        for library, inherited in process.waiting:
            visited.add(library.path)
            for needed in library.facts.needed:
                soname = posixpath.basename(needed)
                if soname in process.names:
                    continue
                found = self._in_bundle(library, needed, inherited)
                if found is not None:
                    process.names |= {soname, found.facts.soname or soname}
                    process.waiting.append((found, (*_rpath(found), *inherited)))
                elif soname in self._system.sonames:
                    process.names.add(soname)
                else:
                    elsewhere = self._by_name.get(soname, "")
                    yield Unresolved(needing=library, soname=soname, elsewhere=elsewhere)

    def _in_bundle(
        self, library: Library, needed: str, inherited: tuple[str, ...]
    ) -> Library | None:
        """Return the bundle's library that is loaded for `needed`; None when there is none."""
        if "/" in needed:
            return self._by_path.get(posixpath.normpath(needed))
        if not library.facts.has_runpath:
            found = self._first(needed, inherited)
            if found is not None:
                return found
        if needed in self._system.sonames:
            return None
        return self._first(needed, [*self._system.target.ld_library_path, *_runpath(library)])

    def _first(self, soname: str, folders: Sequence[str]) -> Library | None:
        for folder in folders:
            found = self._by_path.get(f"{folder}/{soname}")
            if found is not None:
                return found
        return None


def _place(library: Library) -> str:
    """Return the absolute path of `library` in Lambda; a layer's has one already."""
    return posixpath.join(TASK, library.path)


def _names(library: Library) -> set[str]:
    """Return the names others may need the library by."""
    return {posixpath.basename(library.path), library.facts.soname or ""} - {""}


def _rpath(library: Library) -> tuple[str, ...]:
    """Return the folders of DT_RPATH, which libraries loaded by this one inherit."""
    return () if library.facts.has_runpath else _folders(library)


def _runpath(library: Library) -> tuple[str, ...]:
    return _folders(library) if library.facts.has_runpath else ()


def _folders(library: Library) -> tuple[str, ...]:
    """Return the search path with $ORIGIN, the library's own folder, put in."""
    origin = posixpath.dirname(_place(library))
    folders = []
    for folder in library.facts.search_path:
        expanded = folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
        folders.append(posixpath.normpath(expanded))
    return tuple(folders)
