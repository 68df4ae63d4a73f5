import tomllib
from typing import Any

import pytest
from support.fixture_wheels import CHECKOUT

from packager.slim.bytecode import pyc_name
from packager.slim.bytecode_choice import AT_IMPORT, BY_GUESS, PycFact, choose_bytecode, source_of

CASES = tomllib.loads((CHECKOUT / "tests/cases/bytecode/choice.toml").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_choice(case: dict[str, Any]) -> None:
    available = {name: PycFact(size // 2, size) for name, size in case["available"]}
    selection = choose_bytecode(available, imported=case["imported"], budget_bytes=case["budget"])
    names = [each.name for each in selection.chosen]
    assert names == case["chosen"]
    reasons = [AT_IMPORT] * case["at_import"]
    assert [each.reason for each in selection.chosen] == reasons + [BY_GUESS] * (
        len(names) - len(reasons)
    )
    left_out = {each.name for each in selection.left_out}
    assert left_out == available.keys() - selection.names
    assert list(selection.missing) == case.get("missing", [])
    assert selection.uncompressed_bytes == sum(available[name][1] for name in names)
    assert selection.compressed_bytes == sum(available[name][0] for name in names)


def test_what_is_left_out_says_how_much_was_missing() -> None:
    available = {f"__pycache__/{n}.cpython-311.pyc": PycFact(1, 10) for n in "ab"}
    [left_out] = choose_bytecode(available, imported=["b"], budget_bytes=12).left_out
    assert left_out == ("__pycache__/a.cpython-311.pyc", "needs 10 bytes, and 2 are left")


def test_the_order_of_what_is_available_does_not_matter() -> None:
    available = {f"p/__pycache__/m{n}.cpython-311.pyc": PycFact(1, n % 3) for n in range(30)}
    backwards = dict(reversed(available.items()))
    one = choose_bytecode(available, imported=["p.m7", "p.m2"], budget_bytes=9)
    assert one == choose_bytecode(backwards, imported=["p.m7", "p.m2"], budget_bytes=9)


@pytest.mark.parametrize("source", ["a.py", "a/b.py", "a/b/__init__.py", "größe/x.py"])
def test_names_go_there_and_back(source: str) -> None:
    assert source_of(pyc_name(source, (3, 13))) == source
