"""The table of what `lpack report` finds: codes never change their meaning."""

import tomllib
from pathlib import Path
from typing import Any

from packager.model.advice import Advice
from packager.model.finding_code import FindingCode

_DATA = Path(__file__).parent / "data" / "findings.toml"


def load_codes() -> tuple[FindingCode, ...]:
    """Return every code in the table's order."""
    with _DATA.open("rb") as stream:
        return tuple(FindingCode(**row) for row in tomllib.load(stream)["codes"])


BY_NAME = {code.name: code for code in load_codes()}
"""The codes by their names."""


def advise(name: str, message: str, **details: Any) -> Advice:  # noqa: ANN401 -- its fields
    """Return advice of the kind called `name`, at its own level."""
    code = BY_NAME[name]
    return Advice(code.code, code.level, message, **details)
