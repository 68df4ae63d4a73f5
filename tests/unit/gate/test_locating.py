"""The line of a requirement or a budget, in every shape that TOML allows them."""

import tomllib
from pathlib import Path

import pytest

from packager.gate.locating import Locator
from packager.model.verdict import Spot

PYPROJECT = """\
[project] # the project
name = "x"
description = "needs numpy # and more"
dependencies = [ # numpy is not here
  "Ruamel_Yaml [all] >=0.1 ; python_version > '3'",  # "numpy"
  'numpy-financial',
  # "numpy<1",
  "numpy>=2", "pandas",
]
optional-dependencies = { s3 = ["s3fs", "fsspec"] }

[dependency-groups]
"worker" = [
  {include-group = "other"}, "celery[redis]>=5",
]
other = ["kombu"]

[tool.poetry.dependencies]
python = "^3.11"
"httpx" = "^0.28"
anyio = { version = "^4", extras = ["trio"] }

[tool.poetry.group.dev.dependencies]
httpx = "*"

[tool.lpack.budgets]
zip = "1 MiB"
distributions = { numpy = "3 MiB" }

[tool.lpack.functions.api.budgets]
zip = "2 MiB"

[tool.lpack.functions.api.budgets.distributions]
"*" = "1 MiB"
pandas.zip = "9 MiB"
"""


@pytest.fixture
def locator(tmp_path: Path) -> Locator:
    tomllib.loads(PYPROJECT)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "requirements.txt").write_text("numpy\n")
    return Locator(tmp_path)


@pytest.mark.parametrize(
    ("table", "name", "text"),
    [
        ("project.dependencies", "numpy", '  "numpy>=2", "pandas",'),
        ("project.dependencies", "pandas", '  "numpy>=2", "pandas",'),
        ("project.dependencies", "ruamel-yaml", '  "Ruamel_Yaml [all]'),
        ("project.dependencies", "numpy-financial", "  'numpy-financial',"),
        ("project.optional-dependencies.s3", "s3fs", "optional-dependencies = {"),
        ("dependency-groups.worker", "celery", '  {include-group = "other"}, "celery'),
        ("dependency-groups.other", "kombu", 'other = ["kombu"]'),
        ("tool.poetry.dependencies.httpx", "httpx", '"httpx" = "^0.28"'),
        ("tool.poetry.dependencies.anyio", "anyio", "anyio = {"),
        ("tool.poetry.group.dev.dependencies.httpx", "httpx", 'httpx = "*"'),
        ("project.dependencies", "absent", "dependencies = ["),
    ],
)  # fmt: skip
def test_requirements_in_toml(locator: Locator, table: str, name: str, text: str) -> None:
    spot = locator.requirement(f"pyproject.toml ({table})", name)
    assert spot is not None
    assert PYPROJECT.splitlines()[spot.line - 1].startswith(text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tool.lpack.budgets.zip", 'zip = "1 MiB"'),
        ("tool.lpack.budgets.distributions.numpy", "distributions = {"),
        ("tool.lpack.budgets.files", "[tool.lpack.budgets]"),
        ("tool.lpack.functions.api.budgets.zip", 'zip = "2 MiB"'),
        ("tool.lpack.functions.api.budgets.distributions.*", '"*" = "1 MiB"'),
        ("tool.lpack.functions.api.budgets.distributions.pandas", "[tool.lpack.functions.api.bud"),
    ],
)
def test_settings_or_the_nearest_table_above(locator: Locator, path: str, text: str) -> None:
    spot = locator.setting("pyproject.toml", path)
    assert spot is not None
    assert PYPROJECT.splitlines()[spot.line - 1].startswith(text)


def test_lines_that_are_said_already(locator: Locator) -> None:
    assert locator.requirement("requirements.txt:1", "numpy") == Spot("requirements.txt", 1)


@pytest.mark.parametrize("origin", ["gone.txt:3", "gone.toml (a.b)", "", "uv.lock", "boto3 1.4"])
def test_what_is_not_there_has_no_line(locator: Locator, origin: str) -> None:
    assert locator.requirement(origin, "numpy") is None


def test_a_file_that_is_no_text_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe\x00")
    assert Locator(tmp_path).setting("pyproject.toml", "a.b") is None


def test_only_the_key_itself_when_that_is_asked(locator: Locator) -> None:
    assert locator.setting("pyproject.toml", "tool.lpack.budgets.files", exact=True) is None
    assert locator.setting("pyproject.toml", "tool.lpack.budgets.zip", exact=True) is not None
