"""The verdict on one artifact: every rule, every finding, each with its line. Pure.

What has to be read, such as lines of files and the history, is handed in.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from packager.gate.difference import difference_of, side_of
from packager.gate.growth import growth_outcomes, likeness_findings
from packager.gate.rules import Outcome, budget_outcomes, found, limit_outcomes, state_findings
from packager.model.budget import Budgets
from packager.model.difference import Difference, DistributionChange
from packager.model.verdict import LEVELS, GateFinding, Spot, Verdict

Manifest = Mapping[str, Any]
RequirementSpot = Callable[[str, str], Spot | None]
"""From an origin and a normalized name to the line; `packager.gate.locating.Locator`."""
SettingSpot = Callable[[str], Spot | None]
"""From a budget's key, such as `zip` or `distributions.numpy`, to its line."""


class Baseline(NamedTuple):
    """What an artifact is held against; `manifest` is None when it does not know the function."""

    label: str
    manifest: Manifest | None
    findings: tuple[GateFinding, ...] = ()


class Places(NamedTuple):
    """How to find lines; the functions return None for what they do not find."""

    requirement: RequirementSpot
    budget: SettingSpot


def judge(
    manifest: Manifest,
    budgets: Budgets,
    *,
    label: str,
    places: Places,
    baseline: Baseline | None = None,
    init_ms: float | None = None,
    findings: Iterable[GateFinding] = (),
) -> Verdict:
    """Return the verdict on the artifact of `manifest`; `findings` are others' about it.

    Raises KeyError, TypeError or IndexError when it is no manifest.
    """
    outcomes = [*limit_outcomes(manifest), *budget_outcomes(manifest, budgets, init_ms=init_ms)]
    every = [*findings, *state_findings(manifest)]
    difference = None
    if baseline is not None:
        difference = _against(baseline, manifest, label=label, places=places)
        every.extend(baseline.findings)
        if difference is None:
            message = f"`{baseline.label}` does not know this function"
            every.append(found("baseline-without-function", message))
        else:
            every.extend(likeness_findings(difference.old, difference.new))
            outcomes.extend(growth_outcomes(difference, budgets))
    every.extend(outcome.finding for outcome in outcomes if outcome.finding is not None)
    cause = _Causes(manifest, difference, places)
    side = side_of(manifest, label)
    return Verdict(
        function=side.function,
        artifact=label,
        entries=side.entries,
        compressed_bytes=side.compressed_bytes,
        uncompressed_bytes=side.uncompressed_bytes,
        rules=tuple(_rules(outcomes)),
        findings=tuple(sorted(map(cause.located, every), key=_worst_first)),
        baseline=baseline.label if baseline is not None else None,
        difference=difference,
    )


def _against(
    baseline: Baseline, manifest: Manifest, *, label: str, places: Places
) -> Difference | None:
    if baseline.manifest is None:
        return None
    difference = difference_of(
        baseline.manifest, manifest, old_label=baseline.label, new_label=label
    )
    return located(difference, places.requirement)


def located(difference: Difference, spot_of: RequirementSpot) -> Difference:
    """Put lines in the place of tables: `pyproject.toml:14` for `pyproject.toml (project.…)`."""

    def with_line(change: DistributionChange) -> DistributionChange:
        if not change.chain:
            return change
        first = change.chain[0]
        spot = spot_of(first.origin, first.name)
        if spot is None:
            return change
        here = first._replace(origin=f"{spot.file}:{spot.line}")
        return change._replace(chain=(here, *change.chain[1:]))

    changes = tuple(with_line(change) for change in difference.distributions)
    return difference._replace(distributions=changes)


def _rules(outcomes: Iterable[Outcome]) -> Iterable[Any]:
    return (outcome.rule for outcome in outcomes if outcome.rule is not None)


def _worst_first(finding: GateFinding) -> tuple[int, str, str]:
    return (LEVELS.index(finding.level), finding.code, finding.subject)


class _Causes:
    """Finds the line a finding belongs to: what changed, else what is largest, else the budget."""

    def __init__(self, manifest: Manifest, difference: Difference | None, places: Places) -> None:
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
        return spot or own("")

    def _growth(self) -> Spot | None:
        return self._roots.get(self._grown.name) if self._grown is not None else None

    def _largest(self) -> str:
        shipped = [each for each in self._manifest["distributions"] if not each["subtracted"]]
        largest = max(shipped, key=lambda each: each["uncompressed_bytes"], default=None)
        return str(largest["name"]) if largest is not None else ""

    def _root_of(self, name: str) -> Spot | None:
        """Return the line of the project's requirement that leads to `name`."""
        from packager.gate.chains import Chains  # noqa: PLC0415 -- only for what failed

        chain = Chains(self._manifest, self._manifest).to(name)
        return self._places.requirement(chain[0].origin, chain[0].name) if chain else None


def _spot_of_chain(change: DistributionChange) -> Spot | None:
    if not change.chain:
        return None
    file, _, line = change.chain[0].origin.rpartition(":")
    return Spot(file, int(line)) if file and line.isdigit() else None
