import json
from pathlib import Path
from typing import Any

import pytest

from packager.wheels.names import (
    find_clash,
    find_device_stems,
    find_fault,
    find_twins,
    show,
    show_some,
)

CASES = json.loads(
    (Path(__file__).parents[2] / "cases" / "admission" / "names.json").read_text("utf-8")
)


def plain(name: str) -> str:
    """An id that pytest takes back as an argument: without a backslash."""
    return ascii(name[:40]).replace("\\", "%")


@pytest.mark.parametrize("name", CASES["legal"], ids=plain)
def test_legal_names(name: str) -> None:
    assert find_fault(name) is None


@pytest.mark.parametrize("case", CASES["illegal"], ids=lambda case: plain(case["name"]))
def test_illegal_names(case: Any) -> None:
    assert find_fault(case["name"]) == case["fault"]


def test_the_longest_path_is_4086_bytes() -> None:
    parts = ["x" * 200] * 20
    longest = "/".join([*parts, "y" * (4_086 - 20 * 201)])
    assert len(longest) == 4_086
    assert find_fault(longest) is None
    assert find_fault(longest + "y") == "is longer than 4086 bytes"


def test_lone_surrogates_are_no_names() -> None:
    assert find_fault("a\ud800") == "is not valid Unicode"


@pytest.mark.parametrize(
    ("files", "folders", "clash"),
    [
        (["a/b", "a/c", "ab", "b/a"], ["a", "b", "empty"], None),
        (["a", "a"], [], "`a` is there twice"),
        (["x"], ["a", "a"], "the folder `a` is there twice"),
        (["a", "a/b"], [], "`a` is a file and a folder at once"),
        (["a/b/c/d", "a/b"], [], "`a/b` is a file and a folder at once"),
        (["a"], ["a/b/c"], "`a` is a file and a folder at once"),
        (["a"], ["a"], "`a` is a file and a folder at once"),
    ],
)
def test_clashes(files: list[str], folders: list[str], clash: str | None) -> None:
    assert find_clash(files, folders) == clash


def test_twins() -> None:
    assert find_twins(["a", "b", "a/b"]) == ()
    assert find_twins(["A", "a", "\u00c9", "e\u0301"]) == ("`A` and `a`", "`\u00c9` and `e\u0301`")


def test_device_stems() -> None:
    names = ["aux.py", "a/con.tar.gz", "conf.py", "x/lpt1.d/y", "auxiliary.py"]
    assert find_device_stems(names) == ("aux.py", "a/con.tar.gz", "x/lpt1.d/y")


def test_shown_names_act_on_no_terminal() -> None:
    assert show("a\n\x1b[2J`b\u202e") == "`a\\n\\x1b[2J\\x60b\\u202e`"
    assert show("ü") == "`ü`"
    assert show("x" * 500) == f"`{'x' * 120}…`"
    assert show_some(["a", "b", "c"]) == "`a`, `b`, `c`"
    assert show_some(["a", "b", "c", "d", "e"]) == "`a`, `b`, `c` and 2 more"
