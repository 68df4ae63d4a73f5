"""The handler, looked at without running it: which file it is in, and whether it is there.

Lambda imports the part before the last dot and takes the attribute after it
(AWS Lambda Developer Guide, "Define Lambda function handler in Python").
"""

# `_ast` is built in and costs nothing; the module `ast` costs milliseconds on every start.
import _ast
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from packager.errors import UsageError
from packager.inputs.documents import shown
from packager.inputs.nearest import nearest

_ONLY_AST = 0x400  # ast.PyCF_ONLY_AST
_DEFINED = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=", re.MULTILINE)


class ModuleNames(NamedTuple):
    """What a module binds at its top level.

    `open` is True when more names may exist than can be seen (`import *`, `__getattr__`,
    `globals()`). `pairs` are the functions that take exactly an event and a context.
    """

    names: tuple[str, ...]
    open: bool
    pairs: frozenset[str]


class Located(NamedTuple):
    """A handler as Lambda takes it, the folder its modules are imported from, and its file."""

    handler: str
    base: Path
    file: Path


def names_of(source: bytes, *, filename: str = "<module>") -> ModuleNames:
    """List what the module binds at its top level, without running it.

    Source that this Python cannot parse (syntax of a newer target) is read line by line instead,
    because what lpack runs on must not decide what can be built.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = compile(source, filename, "exec", flags=_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError):
        text = source.decode("utf-8", "replace")
        found = tuple(first or second for first, second in _DEFINED.findall(text))
        return ModuleNames(found, open=False, pairs=frozenset())
    names: list[str] = []
    pairs: set[str] = set()
    for statement in _statements(tree.body):
        names.extend(_bound(statement))
        if isinstance(statement, _ast.FunctionDef) and _takes_two(statement.args):
            pairs.add(statement.name)
    unseen = "*" in names or "__getattr__" in names or b"globals()" in source
    return ModuleNames(tuple(names), open=unseen, pairs=frozenset(pairs))


def _takes_two(arguments: _ast.arguments) -> bool:
    return len(arguments.posonlyargs) + len(arguments.args) == 2


def _statements(body: Iterable[_ast.stmt]) -> Iterator[_ast.stmt]:
    """Walk what runs at import: also inside `if`, `try`, `with` and loops."""
    for statement in body:
        yield statement
        if isinstance(statement, _ast.FunctionDef | _ast.AsyncFunctionDef | _ast.ClassDef):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, part, ()))
        for clause in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _statements(clause.body)


def _bound(statement: _ast.stmt) -> Iterator[str]:
    if isinstance(statement, _ast.FunctionDef | _ast.AsyncFunctionDef | _ast.ClassDef):
        yield statement.name
    elif isinstance(statement, _ast.Import | _ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, _ast.Assign):
        for target in statement.targets:
            yield from _targets(target)
    elif isinstance(statement, _ast.AnnAssign) and statement.value is not None:
        yield from _targets(statement.target)


def _targets(target: _ast.expr) -> Iterator[str]:
    if isinstance(target, _ast.Name):
        yield target.id
    elif isinstance(target, _ast.Tuple | _ast.List):
        for element in target.elts:
            yield from _targets(element)


def is_package(folder: Path) -> bool:
    """Tell whether the folder is a regular import package."""
    return (folder / "__init__.py").is_file()


def find_module(base: Path, module: str) -> Path | None:
    """Find the file of a dotted module below `base`: a module, a package or an extension module."""
    stem = base.joinpath(*module.split("."))
    for candidate in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
        if candidate.is_file():
            return candidate
    try:
        with os.scandir(stem.parent) as entries:
            start = stem.name + "."
            for entry in entries:
                if entry.name.startswith(start) and entry.name.endswith((".so", ".pyc")):
                    return Path(entry.path)
    except OSError:
        return None
    return None


def locate_handler(text: str, *, root: Path, bases: Sequence[Path], origin: str) -> Located | None:
    """Normalize a handler and find its module below one of `bases`; None when none has it.

    Accepts `module.function`, `folder/module.function` (as Lambda does) and
    `folder/module.py:function`. `origin` says where it was configured. Raises UsageError when
    the text is no handler or the module lacks the function.
    """
    module, attribute, is_path = _split(text, origin=origin)
    if is_path:
        return _locate_path(module, attribute, root=root, bases=bases, origin=origin)
    for base in bases:
        file = find_module(base, module)
        if file is not None:
            _check_attribute(attribute, file, root=root, origin=origin, module=module)
            return Located(f"{module}.{attribute}", base, file)
    return None


def _split(text: str, *, origin: str) -> tuple[str, str, bool]:
    """Part into module or path without suffix, attribute, and whether the first is a path."""
    head, colon, attribute = text.rpartition(":")
    if not colon:
        head, _, attribute = text.rpartition(".")
    head = head.removeprefix("./")
    is_path = "/" in head or (bool(colon) and head.endswith(".py"))
    if colon:
        head = head.removesuffix(".py")
    module = head.replace(".", "/") if is_path and not head.startswith("..") else head
    # Parts need not be identifiers: Lambda imports `my-handler` through importlib.
    if not attribute.isidentifier() or not all(re.split(r"[/.]", module)):
        raise UsageError(
            f"{origin}: `{text}` is not a handler",
            hint="write it as `module.function`, such as `app.main.handler`",
        )
    return module, attribute, is_path


def _locate_path(
    module: str, attribute: str, *, root: Path, bases: Sequence[Path], origin: str
) -> Located | None:
    stem = root / module
    file = next(
        (f for f in (stem.with_name(stem.name + ".py"), stem / "__init__.py") if f.is_file()), None
    )
    if file is None:
        return None
    base = _import_base(file, root=root, bases=bases)
    dotted = ".".join(stem.relative_to(base).parts)
    _check_attribute(attribute, file, root=root, origin=origin, module=dotted)
    return Located(f"{dotted}.{attribute}", base, file)


def _import_base(file: Path, *, root: Path, bases: Sequence[Path]) -> Path:
    """Find the folder that must be on sys.path: one of `bases`, or above the topmost package."""
    for base in sorted(bases, key=lambda path: -len(path.parts)):
        if base != root and file.is_relative_to(base):
            return base
    folder = file.parent
    if file.name == "__init__.py":
        folder = folder.parent
    while is_package(folder) and folder != root:
        folder = folder.parent
    return folder


def _check_attribute(attribute: str, file: Path, *, root: Path, origin: str, module: str) -> None:
    if file.suffix != ".py":
        return
    try:
        found = names_of(file.read_bytes(), filename=file.name)
    except OSError as error:
        raise UsageError(f"cannot read `{shown(file, root)}`: {error.strerror}") from error
    if attribute in found.names or found.open:
        return
    near = nearest(attribute, found.names) or _likely(found)
    raise UsageError(
        f"{origin}: `{shown(file, root)}` has no `{attribute}`",
        hint=f"did you mean `{module}.{near}`?" if near else "name a function of that module",
    )


def _likely(found: ModuleNames) -> str | None:
    usual = (name for name in ("lambda_handler", "handler") if name in found.names)
    return next(usual, None) or next(iter(sorted(found.pairs)), None)


def ships(file: Path, sources: Sequence[Path]) -> bool:
    """Tell whether a file is one of the sources or inside one."""
    return any(file.is_relative_to(source) for source in sources)


def is_required(module: str, files: Sequence[Path]) -> bool:
    """Tell whether a distribution named like `module` stands in one of the files.

    Some handlers are wrappers that a distribution provides and that call the user's function.
    The names of distributions and of modules need not agree, hence only a likely sign.
    """
    words = re.sub("[-_.]+", "[-_.]+", re.escape(module).replace("\\-", "-"))
    pattern = re.compile(rf"(?<![\w-]){words}(?![\w-])", re.IGNORECASE)
    return any(pattern.search(file.read_text("utf-8", "replace")) for file in files)


def missing_handler(text: str, *, root: Path, bases: Sequence[Path], origin: str) -> UsageError:
    """Word the error of a handler whose module is nowhere, with the module that is near."""
    head, colon, function = text.rpartition(":")
    if not colon:
        head, _, function = text.rpartition(".")
    path = head.removesuffix(".py").replace(".", "/") + ".py"
    files = sorted(
        (file for base in bases for glob in ("*.py", "*/*.py") for file in base.glob(glob)),
        reverse=True,
    )
    stems = {file.stem: file for file in files if not file.parent.name.startswith(("venv", "."))}
    near = nearest(Path(path).stem, tuple(stems))
    hint = "lpack build --handler src/main.handler"
    if near is not None:
        hint = f"did you mean `{shown(stems[near], root).removesuffix('.py')}.{function}`?"
    places = " or ".join(f"`{shown(base, root)}`" for base in bases)
    return UsageError(f"{origin}: there is no `{path}` in {places}", hint=hint)
