"""The verdict on one artifact: every rule, every finding, each with its line. Pure.

What has to be read, such as lines of files and the history, is handed in.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from packager.gate.places import Places
from packager.gate.rules import budget_outcomes, found, limit_outcomes, state_findings
from packager.gate.sizes import unzipped_bytes
from packager.model.budget import Budgets
from packager.model.finding_code import LEVELS
from packager.model.verdict import GateFinding, Verdict

if TYPE_CHECKING:
    from packager.model.difference import Difference

Manifest = Mapping[str, Any]


class Baseline(NamedTuple):
    """What an artifact is held against; `manifest` is None when it does not know the function."""

    label: str
    manifest: Manifest | None
    findings: tuple[GateFinding, ...] = ()


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
        every.extend(baseline.findings)
        if baseline.manifest is None:
            message = f"`{baseline.label}` does not know this function"
            every.append(found("baseline-without-function", message))
        else:
            # Loaded here because a check without a baseline has to start quickly.
            from packager.gate.against import compare  # noqa: PLC0415

            labels = (baseline.label, label)
            held = compare(baseline.manifest, manifest, budgets, labels=labels, places=places)
            difference = held.difference
            every.extend(held.findings)
            outcomes.extend(held.outcomes)
    every.extend(outcome.finding for outcome in outcomes if outcome.finding is not None)
    return Verdict(
        function=manifest["function"]["name"],
        artifact=label,
        entries=manifest["artifact"]["entries"],
        compressed_bytes=manifest["artifact"]["compressed_bytes"],
        uncompressed_bytes=unzipped_bytes(manifest),
        rules=tuple(outcome.rule for outcome in outcomes if outcome.rule is not None),
        findings=_located(every, manifest, difference, places),
        baseline=baseline.label if baseline is not None else None,
        difference=difference,
    )


def _located(
    findings: list[GateFinding],
    manifest: Manifest,
    difference: "Difference | None",
    places: Places,
) -> tuple[GateFinding, ...]:
    """Return the findings with their lines, the worst first."""
    if not findings:
        return ()
    from packager.gate.causes import Causes  # noqa: PLC0415 -- as above

    causes = Causes(manifest, difference, places)
    return tuple(sorted(map(causes.located, findings), key=_worst_first))


def _worst_first(finding: GateFinding) -> tuple[int, str, str]:
    return (LEVELS.index(finding.level), finding.code, finding.subject)
