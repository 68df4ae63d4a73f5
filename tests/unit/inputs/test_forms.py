"""Documents of other tools that are not what they should be, each told in one line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.functions import make_function

from packager.errors import UsageError
from packager.inputs.configuration import load_project
from packager.inputs.documents import joined
from packager.inputs.forms import check_form
from packager.inputs.requirements import read_requirements
from packager.inputs.settings import Overrides

FORM = {
    "a": str,
    "b?": [{"c": str, "d?": [str]}],
    "e?": (str, {"*": [str]}),
    "*": (str, list, dict),
}
FITTING: list[Any] = [
    {"a": ""},
    {"a": "x", "b": []},
    {"a": "x", "b": [{"c": "", "more": "x"}], "e": {}},
    {"a": "x", "e": {"k": ["y"]}},
    {"a": "x", "e": "text", "z": "anything"},
]
FAULTY: dict[str, tuple[Any, str]] = {
    "no table": ([], "`f` must be a table"),
    "absent": ({}, "`a` in `f` must be a string; it is not there"),
    "number": ({"a": 1}, "`a` in `f` must be a string"),
    "no list": ({"a": "", "b": {}}, "`b` in `f` must be a list of tables"),
    "item": ({"a": "", "b": [{"c": ""}, 7]}, "`b.2` in `f` must be a table"),
    "deep": ({"a": "", "b": [{"c": "", "d": [1]}]}, "`b.1.d.1` in `f` must be a string"),
    "no choice": ({"a": "", "e": 1}, "`e` in `f` must be a string or a table"),
    "chosen": ({"a": "", "e": {"k": "y"}}, "`e.k` in `f` must be a list of strings"),
    "line feed": ({"a": "", "e": {"k\n": ""}}, r"`e.k\n` in `f` must be a list of strings"),
}


@pytest.mark.parametrize("document", FITTING, ids=str)
def test_what_fits(document: Any) -> None:
    check_form(document, FORM, file="f")


@pytest.mark.parametrize("name", FAULTY)
def test_the_first_fault_is_named(name: str) -> None:
    document, message = FAULTY[name]
    with pytest.raises(UsageError) as caught:
        check_form(document, FORM, file="f", hint="do it")
    assert caught.value.message == message
    assert caught.value.hint == "do it"


PYPROJECTS = {
    'tool = "x"': "`tool` in `pyproject.toml` must be a table",
    "project = []": "`project` in `pyproject.toml` must be a table",
    "[project]\nname = 1": "`project.name` in `pyproject.toml` must be a string",
    "[tool.uv.workspace]\nmembers = 1": "`tool.uv.workspace.members` in `pyproject.toml` must be a "
    "list of strings",
    "[tool.poetry.dependencies]\na = 1": "`tool.poetry.dependencies.a` in `pyproject.toml` must be "
    "a string or a table or a list",
    "x = " + "[" * 2000: "`pyproject.toml` is not TOML: it is nested too deeply",
}


@pytest.mark.parametrize("text", PYPROJECTS, ids=lambda text: text[:20].replace("\n", " "))
def test_a_pyproject_that_is_none(text: str, project: Callable[[Mapping[str, str]], Path]) -> None:
    root = project({"pyproject.toml": text, "app.py": "def handler(event, context): ...\n"})
    with pytest.raises(UsageError) as caught:
        load_project(root, Overrides(), runtimes=["python3.13"])
    assert caught.value.message == PYPROJECTS[text]


LOCKS = {
    "no list": ("uv.lock", "version = 1\npackage = 1\n", "must be a list of tables", "uv lock"),
    "no url": (
        "poetry.lock",
        '[[package]]\nname = "a"\nversion = "1"\nsource = { type = "file" }\n',
        "`a` has a source without a `url`",
        "poetry lock",
    ),
    "texts": ("Pipfile.lock", '{"default": []}', "`default` in `Pipfile.lock` must", "pipenv lock"),
    "name": (
        "uv.lock",
        'version = 1\npackage = [{name = "a b", version = "1"}, {name = "alpha", version = "1"}]',
        "`uv.lock`: `a b==1` is not a requirement",
        None,
    ),
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_that_is_none(name: str, project: Callable[[Mapping[str, str]], Path]) -> None:
    file, text, message, hint = LOCKS[name]
    pyproject = '[project]\nname = "demo"\ndependencies = ["alpha"]\n'
    root = project({file: text, "pyproject.toml": pyproject})
    with pytest.raises(UsageError) as caught:
        read_requirements(make_function(root, (file,)))
    assert message in caught.value.message
    assert caught.value.hint == hint


@pytest.mark.parametrize("text", ["a\0b", "x" * 256, "a/" + "é" * 128 + "/b"], ids=len)
def test_what_no_file_can_be_called(text: str) -> None:
    with pytest.raises(UsageError, match="can be the name of no file"):
        joined(Path("/p"), text)
    assert joined(Path("/p"), f"{'x' * 255}/../y") == Path("/p/y")
