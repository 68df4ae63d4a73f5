"""Settings are written into TOML; everything of the user's stays."""

import tomllib
from typing import Any

import pytest

from packager.errors import UsageError
from packager.inputs.configuration_edit import edited

PYPROJECT = """\
# the project
[project]
name = "api"   # short

[tool.lpack]
runtime = "python3.13"  # as in production
offload = [
  "scipy",  # large
]

[tool.lpack.functions.api]
handler = "app.handler"

[tool.ruff]
line-length = 100
"""


@pytest.mark.parametrize("function", [None, "api", "worker"])
def test_settings_are_set_and_the_rest_stays(function: str | None) -> None:
    settings = {"upload": "s3", "offload": ["pandas"], "services": {"botocore": ["s3", "sqs"]}}
    text = edited(PYPROJECT, settings, prefix=("tool", "lpack"), function=function)
    document = tomllib.loads(text)
    own = document["tool"]["lpack"]
    place = own if function is None else own["functions"][function]
    assert place["upload"] == "s3"
    assert place["offload"] == ["pandas"]
    assert place["services"] == {"botocore": ["s3", "sqs"]}
    assert document["project"] == {"name": "api"}
    assert document["tool"]["ruff"] == {"line-length": 100}
    assert own["functions"]["api"]["handler"] == "app.handler"
    for comment in ("# the project", "# short", "# as in production"):
        assert comment in text


def test_layers_become_tables() -> None:
    layers = {"deps": {"distributions": ["numpy", "pandas"]}}
    settings = {"layers": ["deps"]}
    text = edited("", settings, prefix=("tool", "lpack"), function="api", layers=layers)
    assert text.startswith("[tool.lpack.functions.api]\n")
    assert tomllib.loads(text)["tool"]["lpack"]["layers"]["deps"] == layers["deps"]


@pytest.mark.parametrize("prefix", [(), ("tool", "lpack")])
@pytest.mark.parametrize("settings", [{}, {"upload": "s3"}])
def test_an_empty_file_gains_what_is_set(prefix: tuple[str, ...], settings: dict[str, Any]) -> None:
    document: Any = tomllib.loads(edited("", settings, prefix=prefix, function=None))
    for key in prefix if settings else ():
        document = document[key]
    assert document == settings


def test_writing_twice_changes_nothing() -> None:
    once = edited(PYPROJECT, {"upload": "s3"}, prefix=("tool", "lpack"), function="api")
    assert edited(once, {"upload": "s3"}, prefix=("tool", "lpack"), function="api") == once


def test_no_toml_is_refused() -> None:
    with pytest.raises(UsageError, match="no TOML"):
        edited("a = [", {"upload": "s3"}, prefix=(), function=None)


@pytest.mark.parametrize("function", [None, "api", "worker"])
def test_what_is_dropped_already_stays_dropped(function: str | None) -> None:
    text = PYPROJECT.replace(
        "offload = [", 'drop = ["docs/**"]\nservices = { botocore = ["s3"] }\noffload = ['
    )
    drop = [{"glob": "/nvidia/**", "reason": "no GPU"}]
    settings = {"drop": drop, "services": {"googleapiclient": ["drive"]}}
    written = edited(text, settings, prefix=("tool", "lpack"), function=function)
    own = tomllib.loads(written)["tool"]["lpack"]
    place = own if function is None else own["functions"][function]
    assert place["drop"] == ["docs/**", *drop]
    assert place["services"] == {"botocore": ["s3"], "googleapiclient": ["drive"]}
    assert edited(written, settings, prefix=("tool", "lpack"), function=function) == written
