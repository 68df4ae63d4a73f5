"""An artifact against its baseline: the difference with its lines, and the rules. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from packager.gate.difference import difference_of
from packager.gate.growth import growth_outcomes, likeness_findings
from packager.gate.places import Places, RequirementSpot
from packager.gate.publication import publisher_findings
from packager.gate.rules import Outcome
from packager.model.budget import Budgets
from packager.model.difference import Difference, DistributionChange
from packager.model.verdict import GateFinding


class Compared(NamedTuple):
    """The difference, and what the rules about growth say of it."""

    difference: Difference
    findings: tuple[GateFinding, ...]
    outcomes: tuple[Outcome, ...]


def compare(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    budgets: Budgets,
    *,
    labels: tuple[str, str],
    places: Places,
) -> Compared:
    """Hold `new` against `old`; the labels are for people.

    Raises KeyError, TypeError or IndexError when one of them is no manifest.
    """
    found = difference_of(old, new, old_label=labels[0], new_label=labels[1])
    difference = located(found, places.requirement)
    return Compared(
        difference,
        (*likeness_findings(difference.old, difference.new), *publisher_findings(old, new)),
        tuple(growth_outcomes(difference, budgets)),
    )


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
