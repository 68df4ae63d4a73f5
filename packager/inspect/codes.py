"""The table of what `lpack report` finds: codes never change their meaning."""

import tomllib
from pathlib import Path

from packager.model.finding_code import FindingCode

_DATA = Path(__file__).parent / "data" / "findings.toml"


def load_codes() -> tuple[FindingCode, ...]:
    """Return every code in the table's order."""
    with _DATA.open("rb") as stream:
        return tuple(FindingCode(**row) for row in tomllib.load(stream)["codes"])


BY_NAME = {code.name: code for code in load_codes()}
"""The codes by their names."""
