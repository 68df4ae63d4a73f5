"""Finds how code reaches a module, by reading import statements; nothing is run. Pure."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from packager.inspect.import_statements import Statement, statements_of
from packager.model.imported import ImportChain, Imported

_MOST_MODULES = 1_500
_ENDINGS = (".py", ".so", ".pyc")

Read = Callable[[str], bytes]


class _Reached(NamedTuple):
    """A module, and the step that led to it; the roots have none."""

    module: str
    step: Imported | None
    before: "_Reached | None"


class Modules:
    """The modules of an artifact by their dotted names, and what each imports."""

    def __init__(self, paths: Iterable[str], read: Read, *, roots: Collection[str] = ("",)) -> None:
        """`roots` are the folders on `sys.path`, with a slash at their end."""
        self._read = read
        self._paths: dict[str, str] = {}
        self._statements: dict[str, list[Statement]] = {}
        longest = sorted(roots, key=len, reverse=True)
        for path in paths:
            if path.endswith(_ENDINGS):
                root = next((each for each in longest if path.startswith(each)), "")
                # A source wins over what was compiled from it.
                name = _dotted(path[len(root) :])
                if name and (name not in self._paths or path.endswith(".py")):
                    self._paths[name] = path

    def path(self, module: str) -> str | None:
        """Return the file of `module`, None when the artifact has none."""
        return self._paths.get(module)

    def named(self, paths: Collection[str]) -> list[str]:
        """Return the modules whose files are among `paths`, in order."""
        return sorted(name for name, path in self._paths.items() if path in paths)

    def imports(self, module: str, *, lazy: bool) -> Iterator[tuple[Imported, list[str]]]:
        """Yield every import of `module` with the modules it loads, packages first."""
        path = self._paths.get(module)
        if path is None or not path.endswith(".py"):
            return
        if module not in self._statements:
            self._statements[module] = statements_of(self._read(path))
        package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
        for each in self._statements[module]:
            if each.lazy and not lazy:
                continue
            name = _absolute(each, package)
            if name is None:
                continue
            loaded = [*_packages(name), name]
            loaded += [
                f"{name}.{member}" for member in each.members if self._is_below(name, member)
            ]
            yield Imported(path, each.line, loaded[-1], each.lazy), loaded

    def _is_below(self, name: str, member: str) -> bool:
        return f"{name}.{member}" in self._paths


def find_import_chain(
    modules: Modules, roots: Iterable[str], wanted: Callable[[str], bool]
) -> ImportChain:
    """Find the shortest chain of imports from one of `roots` to a module that is `wanted`.

    Imports that run at start are tried first, then those in functions too.
    """
    chain = ImportChain((), 0, complete=True)
    starts = list(roots)
    for lazy in (False, True):
        chain = _search(modules, starts, wanted, lazy=lazy)
        if chain.steps:
            return chain
    return chain


def _search(
    modules: Modules, roots: Iterable[str], wanted: Callable[[str], bool], *, lazy: bool
) -> ImportChain:
    waiting = deque(_Reached(root, None, None) for root in roots)
    seen = {each.module for each in waiting}
    read = 0
    while waiting and read < _MOST_MODULES:
        current = waiting.popleft()
        read += 1
        for step, loaded in modules.imports(current.module, lazy=lazy):
            for name in loaded:
                if wanted(name):
                    last = _Reached(name, step._replace(module=name), current)
                    return ImportChain(tuple(_steps(last)), read, complete=True)
                if name not in seen and modules.path(name) is not None:
                    seen.add(name)
                    waiting.append(_Reached(name, step._replace(module=name), current))
    return ImportChain((), read, complete=not waiting)


def _steps(last: _Reached) -> list[Imported]:
    steps: list[Imported] = []
    current: _Reached | None = last
    while current is not None and current.step is not None:
        steps.append(current.step)
        current = current.before
    return steps[::-1]


def _dotted(path: str) -> str:
    """Return the module at `path`: `a/b/__init__.py` is `a.b`, `a/c.cpython-313-….so` is `a.c`."""
    folder, _, file = path.rpartition("/")
    name = file.partition(".")[0]
    parts = [*folder.split("/"), name] if folder else [name]
    if name == "__init__":
        parts.pop()
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def _absolute(statement: Statement, package: str) -> str | None:
    """Resolve the dots in front of a name (PEP 328); None above the top."""
    if not statement.level:
        return statement.module or None
    parents = package.split(".") if package else []
    if statement.level > len(parents):
        return None
    base = parents[: len(parents) - statement.level + 1]
    return ".".join([*base, statement.module] if statement.module else base) or None


def _packages(name: str) -> list[str]:
    """Return the packages around a module, which are imported before it."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def closure_of(name: str, requires: Mapping[str, Collection[str]]) -> set[str]:
    """Return everything that leads to `name`, itself included; `requires` maps to the parents."""
    found = {name}
    waiting = [name]
    while waiting:
        for parent in requires.get(waiting.pop(), ()):
            if parent and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found
