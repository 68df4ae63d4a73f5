"""On which lines of the project in this folder requirements and budgets stand."""

from pathlib import Path
from typing import TYPE_CHECKING

from packager.gate.places import Places
from packager.inputs.configuration_file import Configuration
from packager.model.verdict import Spot

if TYPE_CHECKING:
    from packager.gate.locating import Locator


class ProjectLines:
    """Finds the lines; files are read, and what reads them is loaded, when something is sought."""

    def __init__(self, configuration: Configuration) -> None:
        """Look in the current folder; nothing is read yet."""
        self._configuration = configuration
        self._found: Locator | None = None

    def of(self, function: str) -> Places:
        """Return how to find the lines of requirements, and of the budgets of `function`."""
        return Places(
            requirement=lambda origin, name: self._locator().requirement(origin, name),
            budget=lambda key: self._budget(function, key),
        )

    def _locator(self) -> "Locator":
        if self._found is None:
            # Loaded here because a check that finds nothing has to start quickly.
            from packager.gate.locating import Locator  # noqa: PLC0415

            self._found = Locator(Path.cwd())
        return self._found

    def _budget(self, function: str, key: str) -> Spot | None:
        place, locator = self._configuration.place, self._locator()
        own, path = place.below("functions").below(function).path, f"budgets.{key}".rstrip(".")
        return (
            locator.setting(place.file, f"{own}.{path}", exact=True)
            or locator.setting(place.file, f"{place.path}.{path}".lstrip("."), exact=True)
            or locator.setting(place.file, own)
        )
