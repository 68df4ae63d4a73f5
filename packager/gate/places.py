"""How the gate finds lines without reading files itself."""

from collections.abc import Callable
from typing import NamedTuple

from packager.model.verdict import Spot

RequirementSpot = Callable[[str, str], Spot | None]
"""From an origin and a normalized name to the line; `packager.gate.locating.Locator`."""
SettingSpot = Callable[[str], Spot | None]
"""From a budget's key, such as `zip` or `distributions.numpy`, to its line."""


class Places(NamedTuple):
    """How to find lines; the functions return None for what they do not find."""

    requirement: RequirementSpot
    budget: SettingSpot
