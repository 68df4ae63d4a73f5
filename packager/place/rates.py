"""The constants of the cost model: data with sources, replaced where this machine measured."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from packager.model.plan import Confidence

_DATA = Path(__file__).parent / "data" / "rates.toml"
_ORDER: tuple[Confidence, ...] = ("exact", "measured", "modelled", "quoted")


class Rate(NamedTuple):
    """One constant; its unit is in its name."""

    name: str
    value: float
    confidence: Confidence
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Rates:
    """All constants, by name."""

    constants: Mapping[str, Rate]

    def __getitem__(self, name: str) -> float:
        """Return the value of the constant `name`."""
        return self.constants[name].value

    def confidence(self, *names: str) -> Confidence:
        """Return how sure a figure is that stands on all of `names`: as sure as the weakest."""
        found = [self.constants[name].confidence for name in names]
        return max(found, key=_ORDER.index)


@cache
def shipped_rates() -> Rates:
    """Return the constants that ship with lpack."""
    with _DATA.open("rb") as stream:
        document = tomllib.load(stream)
    return Rates({name: Rate(name=name, **entry) for name, entry in document["constants"].items()})


def calibrated(measured: Mapping[str, float], *, source: str, date: str) -> Rates:
    """Return the shipped constants with those of `measured` in their places."""
    constants = dict(shipped_rates().constants)
    for name, value in measured.items():
        if name in constants:
            constants[name] = Rate(name, value, "measured", source, date)
    return Rates(constants)
