"""The check behind the declared rules: does anything that stays import or need what goes?

python tests/support/prune_guard.py WHEEL…    tells it for any set of wheels
"""

import ast
import io
import re
import sys
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from packager.model.prune import Dropped, SlimSettings
from packager.model.wheel import AdmittedWheel, WheelMember
from packager.slim.layout import lay_out
from packager.slim.prune_rules import declared_distributions, load_declared
from packager.slim.rules import choose_dropped
from packager.wheels.admission import admit

_EXTENSION = re.compile(r"\.(?:cpython-[^.]+|abi3|pypy[^.]+)?\.?so$")
NAMED_RULES = tuple(
    rule.id for name in declared_distributions() for rule in load_declared(name) if rule.named
)
DECLARED = SlimSettings(tier="declared")
EVERYTHING = SlimSettings(tier="declared", rules=NAMED_RULES)


@dataclass(frozen=True, kw_only=True, slots=True)
class PrunedWheel:
    """A real wheel with what the rules leave of it."""

    path: Path
    wheel: AdmittedWheel
    shipped: tuple[tuple[str, WheelMember], ...]
    dropped: tuple[Dropped, ...]
    kept: tuple[tuple[str, WheelMember], ...] = field(repr=False)


def prune(path: Path, settings: SlimSettings, *, python: str | None = None) -> PrunedWheel:
    """Admit the wheel at `path` and apply the rules, as a build does."""
    # The digest is the folder's name in the cache, and of no concern for other wheels.
    wheel = admit(path, sha256=path.parent.name, filename=path.name)
    shipped = lay_out(wheel).shipped
    with zipfile.ZipFile(path) as archive:

        def read_head(member: WheelMember) -> bytes:
            with archive.open(member.name) as stream:
                return stream.read(32)

        dropped = choose_dropped(wheel, shipped, settings, read_head=read_head, python=python)
    gone = {each.path for each in dropped}
    return PrunedWheel(
        path=path,
        wheel=wheel,
        shipped=shipped,
        dropped=dropped,
        kept=tuple(each for each in shipped if each[0] not in gone),
    )


def complaints(pruned: Sequence[PrunedWheel]) -> list[str]:
    """Name every kept module or library that imports, names or needs something dropped."""
    gone = _Gone.of(pruned)
    found = []
    for each in pruned:
        with zipfile.ZipFile(each.path) as archive:
            for name, member in each.kept:
                if name.endswith(".py"):
                    wrong = list(_python_complaints(archive.read(member.name), name, gone))
                elif ".so" in name.rsplit("/", 1)[-1]:
                    wrong = list(_library_complaints(archive.read(member.name), gone))
                else:
                    continue
                found += [f"{each.wheel.name} {each.wheel.version}: {name}{w}" for w in wrong]
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Gone:
    """Modules (dotted) and libraries (file names) that no longer ship."""

    modules: frozenset[str]
    libraries: frozenset[str]
    extensions: tuple[bytes, ...]
    words: re.Pattern[bytes]

    @classmethod
    def of(cls, pruned: Sequence[PrunedWheel]) -> "_Gone":
        dropped = {d.path for each in pruned for d in each.dropped}
        kept = {name for each in pruned for name, _ in each.kept}
        stay = {module for name in kept for module in _modules(name)}
        modules = {module for name in dropped for module in _modules(name)} - stay
        # An import of anything below a dropped package names that package too.
        tops = {m for m in modules if m.rpartition(".")[0] not in modules}
        words = b"|".join(sorted(re.escape(m.rpartition(".")[2].encode()) for m in tops))
        return cls(
            modules=frozenset(modules),
            libraries=frozenset(_libraries(dropped) - _libraries(kept)),
            extensions=tuple(
                m.encode() + b"\0"
                for name in dropped
                if name.endswith(".so")
                for m in _modules(name)
                if m in modules
            ),
            words=re.compile(rb"\b(?:%s)\b" % (words or rb"(?!)")),
        )


def _libraries(names: set[str]) -> set[str]:
    return {name.rsplit("/", 1)[-1] for name in names if ".so" in name.rsplit("/", 1)[-1]}


def _modules(name: str) -> Iterator[str]:
    """The dotted name under which the file `name` can be imported, and its packages'."""
    if name.endswith(".py"):
        dotted = name.removesuffix(".py").removesuffix("/__init__")
    elif name.endswith(".so"):
        dotted = _EXTENSION.sub("", name)
    else:
        return
    parts = dotted.split("/")
    for end in range(1, len(parts) + 1):
        if all(part.isidentifier() for part in parts[:end]):
            yield ".".join(parts[:end])


def _python_complaints(source: bytes, name: str, gone: _Gone) -> Iterator[str]:
    if not gone.words.search(source):
        return
    with warnings.catch_warnings(action="ignore"):
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return
    package = name.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree):
        for module in _imported(node, package):
            if module in gone.modules:
                yield f":{getattr(node, 'lineno', 0)}: imports {module}"


def _imported(node: ast.AST, package: list[str]) -> Iterator[str]:
    """Modules an import statement reaches, and texts that could be given to import_module."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _with_parents(alias.name)
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield from _with_parents(module)
        for alias in node.names:
            yield f"{module}.{alias.name}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
        if re.fullmatch(r"\.*\w+(\.\w+)*", text) and "." in text:
            level = len(text) - len(text.lstrip("."))
            base = package[: len(package) - level + 1] if level else []
            yield ".".join([*base, text.lstrip(".")])


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])


def _library_complaints(data: bytes, gone: _Gone) -> Iterator[str]:
    for extension in gone.extensions:
        if extension in data:
            yield f": names {extension[:-1].decode()}"
    if gone.libraries and data.startswith(b"\x7fELF"):
        dynamic = ELFFile(io.BytesIO(data)).get_section_by_name(".dynamic")
        if not isinstance(dynamic, DynamicSection):
            return
        for tag in dynamic.iter_tags("DT_NEEDED"):
            if tag.needed in gone.libraries:  # type: ignore[attr-defined]
                yield f": needs {tag.needed}"  # type: ignore[attr-defined]


if __name__ == "__main__":
    problems = complaints([prune(Path(text), EVERYTHING) for text in sys.argv[1:]])
    print("\n".join(problems) or "nothing that stays needs what goes")
    sys.exit(1 if problems else 0)
