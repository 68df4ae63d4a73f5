"""The data files of the checks: what is known beyond what files say of themselves."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "data"


@cache
def load_rules(name: str) -> dict[str, Any]:
    """Return the values of the data file `name` (without `.toml`)."""
    with (_FOLDER / f"{name}.toml").open("rb") as stream:
        return tomllib.load(stream)
