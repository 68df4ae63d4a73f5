"""The imports of a Python source, with their lines. Pure; nothing is run.

Sources of a newer Python than the one that runs lpack do not parse: their statements are then
found line by line, which misses little, because imports stand on lines of their own.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

_LINE = re.compile(
    r"(?P<indent>[ \t]*)(?:lazy[ \t]+)?"
    r"(?:import[ \t]+(?P<names>[\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w. \t]+)*)"
    r"|from[ \t]+(?P<module>\.*[\w.]*)[ \t]+import[ \t]*\(?[ \t]*(?P<members>[\w, \t*]*))"
)


class Statement(NamedTuple):
    """`module` is imported on `line`; `members` are names that may be modules below it.

    `level` is the number of dots in front, as in the syntax tree.
    """

    line: int
    module: str
    level: int
    members: tuple[str, ...]
    lazy: bool


def statements_of(source: bytes) -> list[Statement]:
    """Return the imports of `source` in the order of their lines."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return list(_by_lines(source.decode("utf-8", "replace")))
    found = list(_walk(tree.body, lazy=False))
    return sorted(found, key=lambda each: each.line)


def _walk(body: list[ast.stmt], *, lazy: bool) -> Iterator[Statement]:
    """Walk statements; what only type checkers see is passed over."""
    for node in body:
        yield from _imports(node, lazy=lazy)
        inner = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in ("body", "orelse", "finalbody"):
            if name == "body" and isinstance(node, ast.If) and _is_type_checking(node.test):
                continue
            nested = getattr(node, name, None)
            if isinstance(nested, list):
                yield from _walk(nested, lazy=inner)
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _walk(part.body, lazy=inner)


def _imports(node: ast.stmt, *, lazy: bool) -> Iterator[Statement]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Statement(node.lineno, alias.name, 0, (), lazy)
    elif isinstance(node, ast.ImportFrom):
        members = tuple(alias.name for alias in node.names)
        yield Statement(node.lineno, node.module or "", node.level, members, lazy)
    elif isinstance(node, ast.Expr | ast.Assign | ast.Return):
        yield from _calls(node, lazy=lazy)


def _calls(node: ast.stmt, *, lazy: bool) -> Iterator[Statement]:
    """Yield what `importlib.import_module("x")` and `__import__("x")` name literally."""
    for call in ast.walk(node):
        match call:
            case ast.Call(
                func=ast.Attribute(attr="import_module")
                | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ) if name and not name.startswith("."):
                yield Statement(call.lineno, name, 0, (), lazy)


def _is_type_checking(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


def _by_lines(text: str) -> Iterator[Statement]:
    """Find statements without a parser; indented ones count as lazy."""
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.match(line)
        if match is None:
            continue
        lazy = bool(match["indent"])
        if match["names"]:
            for name in match["names"].split(","):
                yield Statement(number, name.split()[0] if name.split() else "", 0, (), lazy)
        elif match["module"]:
            module = match["module"].lstrip(".")
            level = len(match["module"]) - len(module)
            members = tuple(each.split()[0] for each in match["members"].split(",") if each.split())
            yield Statement(number, module, level, members, lazy)
