"""An artifact against its baseline: growth, new distributions. Pure."""

from collections.abc import Iterator

from packager.gate.rules import Outcome, found
from packager.model.budget import Budgets, Increase
from packager.model.difference import Difference, DistributionChange, Side
from packager.model.figures import mib, signed
from packager.model.growth_text import growth_line
from packager.model.verdict import GateFinding, Rule

_ROWS = 3


def growth_outcomes(difference: Difference, budgets: Budgets) -> Iterator[Outcome]:
    """Hold the growth against `max-increase`, and what is new against `new-distributions`."""
    if budgets.max_increase is not None:
        yield _growth(difference, budgets.max_increase, zipped=True)
        yield _growth(difference, budgets.max_increase, zipped=False)
    allowed = budgets.new_distributions
    if allowed is None or allowed is True:
        return
    brought: dict[str, list[DistributionChange]] = {}
    for change in difference.distributions:
        if change.kind == "added" and (allowed is False or change.name not in allowed):
            root = change.chain[0].name if change.chain else change.name
            brought.setdefault(root, []).append(change)
    for root, changes in sorted(brought.items()):
        yield Outcome(None, _new_distributions(root, changes))


def likeness_findings(old: Side, new: Side) -> Iterator[GateFinding]:
    """Tell when the two cannot be compared fairly."""
    if old.target and new.target and old.target != new.target:
        message = f"the baseline is of {old.target}, this artifact is of {new.target}"
        yield found("baseline-unlike", message, subject="target")
    if old.lpack and new.lpack and old.lpack != new.lpack:
        message = f"the baseline was built by lpack {old.lpack}, this artifact by {new.lpack}"
        yield found("baseline-unlike", message, subject="lpack")


def largest_growth(difference: Difference) -> DistributionChange | None:
    """Return the distribution through which the artifact grew most."""
    return difference.grown[0] if difference.grown else None


def _growth(difference: Difference, increase: Increase, *, zipped: bool) -> Outcome:
    key = "compressed_bytes" if zipped else "uncompressed_bytes"
    before, after = getattr(difference.old, key), getattr(difference.new, key)
    grown = after - before
    limits = []
    if increase.percent is not None:
        limits.append(int(before * increase.percent / 100))
    if increase.bytes is not None:
        limits.append(increase.bytes)
    # Both thresholds have to be passed, so the larger one decides.
    allowed = max(limits, default=0)
    word = "zip" if zipped else "unzipped"
    rule = Rule(
        name=f"increase:{word}",
        title=f"growth, {'zipped' if zipped else 'unzipped'}",
        unit="bytes",
        measured=grown,
        allowed=allowed,
        passed=grown <= allowed,
    )
    if rule.passed:
        return Outcome(rule, None)
    share = f" (+{grown / before:.1%})" if grown < before * 10 else ""
    close = abs(grown - allowed) * 100 < allowed
    size = f"{grown:,} bytes" if close else mib(grown)
    zip_word = "zipped" if zipped else "unzipped"
    message = f"grew by {size}{share} {zip_word}, allowed are {_allowed(increase)}"
    details = _reasons(difference, zipped=zipped)
    facts = {"measured": grown, "allowed": allowed, "unit": "bytes"}
    return Outcome(rule, found(f"increase-{word}", message, details=details, **facts))


def _allowed(increase: Increase) -> str:
    texts = []
    if increase.percent is not None:
        texts.append(f"{increase.percent:g} %")
    if increase.bytes is not None:
        close = increase.bytes % 1024
        texts.append(f"{increase.bytes:,} bytes" if close else mib(increase.bytes))
    return " and ".join(texts)


def _reasons(difference: Difference, *, zipped: bool) -> tuple[str, ...]:
    """Name what grew most, each with the requirement that caused it."""

    def delta(change: DistributionChange) -> int:
        return change.compressed_delta if zipped else change.uncompressed_delta

    grown = sorted((each for each in difference.distributions if delta(each) > 0), key=delta)
    grown.reverse()
    lines = [growth_line(change, delta(change)) for change in grown[:_ROWS]]
    if len(grown) > _ROWS:
        rest = sum(delta(change) for change in grown[_ROWS:])
        lines.append(f"{signed(rest)}: {len(grown) - _ROWS} more")
    code = difference.code_compressed_delta if zipped else difference.code_uncompressed_delta
    if code > 0:
        lines.append(f"{signed(code)}: your code")
    return tuple(lines)


def _new_distributions(root: str, changes: list[DistributionChange]) -> GateFinding:
    """Word what the project's requirement on `root` brought along, in one finding."""
    names = [f"{change.name} {change.new_version}" for change in changes]
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    quoted = ", ".join(f'"{name}"' for name in sorted(change.name for change in changes))
    return found(
        "new-distribution",
        f"{listed} {'is' if len(names) == 1 else 'are'} new",
        subject=root,
        details=tuple(growth_line(change, change.uncompressed_delta) for change in changes),
        hint=f"`new-distributions = [{quoted}]` under [tool.lpack.budgets] allows it",
    )
