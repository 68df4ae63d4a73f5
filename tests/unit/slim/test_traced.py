"""The split into what stays and what is moved, by table and by its laws."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fixture_wheels import CHECKOUT

from packager.slim.traced import libraries_in_question, split

TABLE = CHECKOUT / "tests" / "cases" / "traced" / "split.toml"
CASES = tomllib.loads(TABLE.read_text(encoding="utf-8"))["case"]
PARTS = st.sampled_from(["a", "b", "__init__", "tests", "x-1.dist-info", "__pycache__", "libq"])
ENDS = st.sampled_from([".py", ".so", ".abi3.so", ".json", ".pem", ".pyc", ".cpython-311.pyc", ""])
NAMES = st.builds(
    lambda folders, base, end: "/".join([*folders, base + end]),
    st.lists(PARTS, max_size=3),
    PARTS,
    ENDS,
)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_split(case: dict[str, Any]) -> None:
    files = dict.fromkeys(case["files"], case.get("bytes", 100_000))
    result = split(files, frozenset(case["touched"]), linked=case.get("linked", ()))
    assert list(result.moved) == case["moved"]
    assert list(result.kept) == [name for name in files if name not in case["moved"]]


@given(names=st.lists(NAMES, unique=True), data=st.data())
def test_every_file_is_in_one_part_and_the_touched_stay(
    names: list[str], data: st.DataObject
) -> None:
    touched = set(data.draw(st.lists(st.sampled_from(names)))) if names else set()
    files = dict.fromkeys(names, 100_000)
    result = split(files, touched, linked=data.draw(st.sets(NAMES)))
    assert sorted([*result.kept, *result.moved]) == sorted(names)
    assert touched <= set(result.kept)
    assert not [name for name in result.moved if ".dist-info/" in f"{name.partition('/')[0]}/"]
    # Nothing that stays changes what another name means to `import`.
    kept_folders = {name[:i] for name in result.kept for i, c in enumerate(name) if c == "/"}
    orphans = [n for n in result.moved if n.removesuffix("/__init__.py") in kept_folders]
    assert [name for name in orphans if name.endswith("/__init__.py")] == []
    # What was kept once stays kept: keeping it is no news.
    assert set(split(files, result.kept).kept) >= set(result.kept)


def test_only_untouched_libraries_are_asked_about() -> None:
    files = dict.fromkeys(["a.so", "liba.so", "libb.so.1", "x/c.abi3.so", "d.py"], 1)
    assert libraries_in_question(files, {"libb.so.1"}) == {"liba.so"}
