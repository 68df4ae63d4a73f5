"""Files that their distribution works without, as data with reasons."""

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data" / "optional-files.toml"


def optional_reason(path: str) -> str | None:
    """Return why the distribution works without the file at `path`; None when it needs it."""
    for row in _rows():
        if any(fnmatchcase(path, pattern) for pattern in row["paths"]):
            reason: str = row["reason"]
            return reason
    return None


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    with _DATA.open("rb") as stream:
        return tuple(tomllib.load(stream)["optional"])
