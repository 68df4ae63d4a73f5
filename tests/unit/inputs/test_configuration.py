"""`tests/cases/config/*.toml`: a project, what is asked, and the functions or the error."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from packager.errors import UsageError
from packager.inputs.configuration import load_project
from packager.inputs.setting_values import POLICIES
from packager.inputs.settings import SETTINGS, Overrides
from packager.model import runtime_catalog
from packager.model.project import Function

CASES = Path(__file__).parents[2] / "cases" / "config"
RUNTIMES = tuple(f"python3.{minor}" for minor in range(9, 15))


def cases(name: str) -> list[Any]:
    """The cases of one file, with their titles as ids."""
    table = tomllib.loads((CASES / name).read_text())
    return [pytest.param(case, id=case["title"]) for case in table["case"]]


def load(case: dict[str, Any], root: Path) -> tuple[Function, ...]:
    ask: dict[str, Any] = {
        key: tuple(tuple(each) if isinstance(each, list) else each for each in value)
        if isinstance(value, list)
        else value
        for key, value in case.get("ask", {}).items()
        if key != "names"
    }
    if "config" in ask:
        ask["config"] = Path(ask["config"])
    return load_project(
        root,
        Overrides(**ask),
        runtimes=RUNTIMES,
        default_runtime="python3.13",
        names=case.get("ask", {}).get("names", ()),
    )


def plain(value: object, root: Path) -> object:
    """A field as the cases write it."""
    if isinstance(value, Path):
        return value.relative_to(root).as_posix()
    if isinstance(value, tuple):
        return [plain(each, root) for each in value]
    return value


@pytest.mark.parametrize("case", [*cases("functions.toml"), *cases("guesses.toml")])
def test_functions(case: dict[str, Any], project: Any) -> None:
    root = project(case["files"])
    functions = {function.name: function for function in load(case, root)}
    assert list(functions) == list(case["expected"])
    for name, expected in case["expected"].items():
        function = functions[name]
        for field, value in expected.items():
            if field == "guesses":
                guessed = {guess.setting: guess.value for guess in function.guesses}
                assert guessed == value
            elif field == "because":
                said = {guess.setting: guess.because for guess in function.guesses}
                assert said | value == said
            else:
                assert plain(getattr(function, field), root) == value, field


@pytest.mark.parametrize("case", cases("errors.toml"))
def test_errors(case: dict[str, Any], project: Any) -> None:
    root = project(case["files"])
    with pytest.raises(UsageError) as caught:
        load(case, root)
    assert caught.value.message == case["message"]
    assert caught.value.hint == case.get("hint")
    if "details" in case:
        assert list(caught.value.details) == case["details"]


def test_the_table_and_the_overrides_agree() -> None:
    names = list(Overrides._fields)
    assert names == ["config", *(setting.field for setting in SETTINGS)]


def test_every_setting_reaches_the_function() -> None:
    of_function = set(Function._fields) | {"source"}
    assert {setting.field for setting in SETTINGS} <= of_function


def test_every_setting_is_documented() -> None:
    for setting in SETTINGS:
        assert setting.doc.endswith("."), setting.key
        assert bool(setting.choices) == (setting.shape == "choice" and setting.key != "runtime")


def test_the_policies_are_those_of_the_model() -> None:
    assert POLICIES == runtime_catalog.POLICIES


def test_passwords_come_from_the_environment(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEX_TOKEN", "s3cret")
    text = '[tool.lpack]\nindex-url = "https://u:${INDEX_TOKEN}@index.test/${UNSET_NAME}"\n'
    root = project({"pyproject.toml": text, "app.py": "def handler(e, c): ...\n"})
    (function,) = load({}, root)
    assert function.index_url == "https://u:s3cret@index.test/${UNSET_NAME}"


def test_the_root_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        load({}, tmp_path / "nothing")
