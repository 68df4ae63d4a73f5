"""docs/security.md is held against the tests that it names."""

import ast
import re

from support.fixture_wheels import CHECKOUT

PAGE = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| [A-Z]\d", line)]
NAMED = re.findall(r"`((?:unit|faults|property|e2e)/[\w/]+\.py)(?:::(\w+))?`", PAGE)
NAMED_ONE = re.compile(r"`(?:unit|faults|property|e2e)/")
THREATS = [f"Z{n}" for n in range(1, 13)] + [f"W{n}" for n in range(1, 8)]
THREATS += [f"I{n}" for n in range(1, 11)] + [f"C{n}" for n in range(1, 12)]
THREATS += [f"S{n}" for n in range(1, 8)] + [f"B{n}" for n in range(1, 8)]
THREATS += [f"O{n}" for n in range(1, 7)]


def told() -> set[str]:
    """The threats that the first column of the tables names; a range names all between."""
    found = set()
    for row in ROWS:
        first = row.split("|")[1]
        for letter, start, end in re.findall(r"\b([A-Z])(\d+)(?:\u2013[A-Z](\d+))?", first):
            found |= {f"{letter}{n}" for n in range(int(start), int(end or start) + 1)}
    return found


def test_every_threat_has_its_row() -> None:
    assert [threat for threat in THREATS if threat not in told()] == []


def test_every_row_names_a_test_or_says_that_it_is_open() -> None:
    bare = [row for row in ROWS if not NAMED_ONE.search(row) and "**open**" not in row]
    assert bare == []


def test_every_test_that_is_named_exists() -> None:
    assert len(NAMED) > 50
    missing = []
    for path, function in NAMED:
        file = CHECKOUT / "tests" / path
        names = []
        if file.is_file():
            tree = ast.parse(file.read_text(encoding="utf-8"))
            names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        if not any(name.startswith("test_") for name in names) or (
            function and function not in names
        ):
            missing.append(f"{path}::{function}")
    assert missing == []
