"""The line of the project that a finding belongs to. Pure: how to find lines is handed in."""

from collections.abc import Mapping
from typing import Any

from packager.gate.chains import Chains
from packager.gate.codes import BY_NAME
from packager.gate.places import Places
from packager.model.difference import Difference, DistributionChange
from packager.model.verdict import GateFinding, Spot

Manifest = Mapping[str, Any]


class Causes:
    """Finds the line a finding belongs to: what changed, else what is largest, else the budget."""

    def __init__(self, manifest: Manifest, difference: Difference | None, places: Places) -> None:
        """Find the lines of what changed; `difference` is None without a baseline."""
        self._places = places
        self._roots: dict[str, Spot | None] = {}
        self._grown: DistributionChange | None = None
        if difference is not None and difference.grown:
            self._grown = difference.grown[0]
            for change in difference.distributions:
                self._roots[change.name] = _spot_of_chain(change)
        self._manifest = manifest

    def located(self, finding: GateFinding) -> GateFinding:
        """Return `finding` with its line, where one is known."""
        if finding.spot is not None:
            return finding
        return finding._replace(spot=self._spot(finding))

    def _spot(self, finding: GateFinding) -> Spot | None:
        family = finding.name.partition("-")[0]
        name = finding.subject.partition(":")[0]
        own = self._places.budget
        spot = None
        if family in {"increase", "new"}:
            spot = self._roots.get(name) or self._growth()
        elif finding.name in {"budget-distribution", "development-tool"}:
            spot = self._root_of(name) or own(f"distributions.{name}")
        elif finding.name == "budget-unused":
            spot = own(f"distributions.{name}")
        elif finding.name in {"budget-init", "init-unknown"}:
            spot = own("init")
        elif family == "budget":
            spot = self._growth() or own(finding.name.removeprefix("budget-"))
        elif family == "limit" and finding.level == "error":
            spot = self._growth() or self._root_of(self._largest())
        return spot or (own("") if finding.name in BY_NAME else None)

    def _growth(self) -> Spot | None:
        return self._roots.get(self._grown.name) if self._grown is not None else None

    def _largest(self) -> str:
        shipped = [each for each in self._manifest["distributions"] if not each["subtracted"]]
        largest = max(shipped, key=lambda each: each["uncompressed_bytes"], default=None)
        return str(largest["name"]) if largest is not None else ""

    def _root_of(self, name: str) -> Spot | None:
        """Return the line of the project's requirement that leads to `name`."""
        chain = Chains(self._manifest, self._manifest).to(name)
        return self._places.requirement(chain[0].origin, chain[0].name) if chain else None


def _spot_of_chain(change: DistributionChange) -> Spot | None:
    if not change.chain:
        return None
    file, _, line = change.chain[0].origin.rpartition(":")
    return Spot(file, int(line)) if file and line.isdigit() else None
