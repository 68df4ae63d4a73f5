"""Import chains over sources: what runs at start, what in functions, what a newer Python writes."""

from pathlib import Path

import pytest

from packager.inspect.import_graph import Modules, find_import_chain
from packager.inspect.import_statements import statements_of

HERE = Path(__file__)

SOURCE = b"""
import os, json as j
from a.b import c, d
from . import sibling
from ..up import thing
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import never_at_run_time
else:
    import else_branch
try:
    import fast
except ImportError:
    import slow
def f():
    import inside
    async def g():
        from deep import er
class C:
    import in_class
import importlib
plugin = importlib.import_module("named.literally")
other = importlib.import_module(name)
match x:
    case 1:
        import in_case
"""


def test_statements_with_lines_and_laziness() -> None:
    found = [(s.line, "." * s.level + s.module, s.lazy) for s in statements_of(SOURCE)]
    assert found == [
        (2, "os", False), (2, "json", False), (3, "a.b", False), (4, ".", False),
        (5, "..up", False), (6, "typing", False), (10, "else_branch", False),
        (12, "fast", False), (14, "slow", False), (16, "inside", True), (18, "deep", True),
        (20, "in_class", False), (21, "importlib", False), (22, "named.literally", False),
        (26, "in_case", False),
    ]  # fmt: skip


NEWER = b"""
import one
from two.three import (four,
    five)
from .six import seven as eight
text = t"no older {parser} reads this"
lazy import nine
def f():
    import ten, eleven as x
def g[T: int = str](x): ...
"""


def test_sources_of_a_newer_python_are_read_line_by_line() -> None:
    with pytest.raises(SyntaxError):
        compile(NEWER, "newer.py", "exec")
    found = [(s.line, s.level, s.module, s.members, s.lazy) for s in statements_of(NEWER)]
    assert found == [
        (2, 0, "one", (), False), (3, 0, "two.three", ("four",), False),
        (5, 1, "six", ("seven",), False), (7, 0, "nine", (), False),
        (9, 0, "ten", (), True), (9, 0, "eleven", (), True),
    ]  # fmt: skip


def test_line_by_line_finds_what_the_parser_finds() -> None:
    """Held against each other on this project's own sources."""
    for path in HERE.parents[3].glob("packager/[a-m]*/*.py"):
        source = path.read_bytes()
        lines = source.splitlines()
        parsed = {
            (s.line, s.level, s.module)
            for s in statements_of(source)
            if b"import_module(" not in lines[s.line - 1]
        }
        by_line = {(s.line, s.level, s.module) for s in statements_of(source + b"\nt'{x}' 'y\n")}
        # What only type checkers see is in the second alone.
        assert parsed <= by_line, path


def test_binary_and_empty_sources() -> None:
    assert statements_of(b"") == []
    assert statements_of(b"\0\xff\xfe" * 99) == []
    assert statements_of(b"(" * 100_000) == []


FILES = {
    "app.py": b"import helper\n\ndef handler(event, context):\n    import lazy_one\n",
    "helper/__init__.py": b"from . import deep\n",
    "helper/deep.py": b"from lib.api import get\n",
    "lib/__init__.py": b"",
    "lib/api.py": b"import lib.inner\nfrom target import thing\n",
    "lib/inner.py": b"import native_target\n",
    "target/__init__.py": b"",
    "target/thing.py": b"",
    "lazy_one.py": b"from late import x\n",
    "late/__init__.py": b"",
    "native_target.cpython-313-x86_64-linux-gnu.so": b"",
    "circle_a.py": b"import circle_b\n",
    "circle_b.py": b"import circle_a\n",
}


def chain(root: str, wanted: str, files: dict[str, bytes] = FILES) -> list[str]:
    modules = Modules(files, files.__getitem__)
    found = find_import_chain(modules, [root], lambda module: module == wanted)
    return [f"{s.path}:{s.line}{'*' if s.lazy else ''} {s.module}" for s in found.steps]


@pytest.mark.parametrize(
    ("root", "wanted", "expected"),
    [
        ("app", "helper", ["app.py:1 helper"]),
        ("app", "target", [
            "app.py:1 helper", "helper/__init__.py:1 helper.deep", "helper/deep.py:1 lib.api",
            "lib/api.py:2 target",
        ]),
        ("app", "target.thing", [
            "app.py:1 helper", "helper/__init__.py:1 helper.deep", "helper/deep.py:1 lib.api",
            "lib/api.py:2 target.thing",
        ]),
        ("app", "native_target", [
            "app.py:1 helper", "helper/__init__.py:1 helper.deep", "helper/deep.py:1 lib.api",
            "lib/api.py:1 lib.inner", "lib/inner.py:1 native_target",
        ]),
        ("app", "late", ["app.py:4* lazy_one", "lazy_one.py:1 late"]),
        ("circle_a", "target", []),
        ("not_there", "target", []),
    ],
)  # fmt: skip
def test_chains(root: str, wanted: str, expected: list[str]) -> None:
    assert chain(root, wanted) == expected


def test_layers_have_their_own_roots() -> None:
    files = {"python/pkg/__init__.py": b"import other\n", "python/other.py": b""}
    modules = Modules(files, files.__getitem__, roots=("", "python/"))
    found = find_import_chain(modules, ["pkg"], lambda module: module == "other")
    assert [step.path for step in found.steps] == ["python/pkg/__init__.py"]
