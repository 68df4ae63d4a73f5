"""What AWS forbids a plan for this function, and what one should know about it: rules as data."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from packager.model.plan import Circumstances, Objection, Way

_DATA = Path(__file__).parent / "data" / "forbids.toml"


def objections(
    way: Way, circumstances: Circumstances, *, tmp_mib: int = 0
) -> tuple[Objection, ...]:
    """Return every rule that speaks against `way`, those that forbid it first.

    `tmp_mib` is the ephemeral storage the plan takes. The sources are in the data file.
    """
    found = [
        Objection(rule["id"], rule["forbids"], rule["text"], rule["source"])
        for rule in _rules()
        if way in rule["ways"] and _holds(rule["when"], circumstances, tmp_mib)
    ]
    return tuple(sorted(found, key=lambda objection: not objection.forbids))


@cache
def _rules() -> tuple[dict[str, Any], ...]:
    with _DATA.open("rb") as stream:
        return tuple(tomllib.load(stream)["rules"])


def _holds(when: dict[str, Any], circumstances: Circumstances, tmp_mib: int) -> bool:
    for condition, wanted in when.items():
        if condition == "tmp-above-mib":
            holds = tmp_mib > wanted
        elif condition == "environment-above-bytes":
            holds = circumstances.environment_bytes > wanted
        elif condition == "runtimes":
            holds = circumstances.runtime in wanted
        else:
            holds = getattr(circumstances, condition.replace("-", "_")) == wanted
        if not holds:
            return False
    return True
