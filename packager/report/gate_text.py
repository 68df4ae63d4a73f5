"""Verdicts as text for people: at most 100 columns. Pure."""

from collections.abc import Callable, Sequence

from packager.model.figures import amount_of, many
from packager.model.finding_code import LEVELS
from packager.model.verdict import GateFinding, Rule, Verdict

_COLUMNS = 100
Paint = Callable[[str, str], str]
"""From a text and the level it stands for (or `ok`) to the text, coloured or not."""


def plain(text: str, level: str) -> str:
    """Return `text` as it is; the Paint of files."""
    del level
    return text


def render_verdicts(
    verdicts: Sequence[Verdict], *, paint: Paint = plain, quiet: bool = False
) -> str:
    """Return a block for each verdict and one line that sums them up.

    With `quiet`, only the findings that are errors, and the sum.
    """
    lines = []
    for verdict in verdicts:
        lines.extend(_verdict(verdict, paint, quiet=quiet))
    lines.append(summary_of(verdicts))
    return "".join(f"{line}\n" for line in lines)


def summary_of(verdicts: Sequence[Verdict]) -> str:
    """Count: `1 of 2 failed: 1 error, 2 warnings`."""
    failed = sum(not verdict.passed for verdict in verdicts)
    counted = []
    for level in LEVELS:
        count = sum(verdict.number_of(level) for verdict in verdicts)
        counted.extend([many(count, level)] if count else [])
    found = ", ".join(counted)
    if failed:
        return f"{failed} of {len(verdicts)} failed: {found}"
    return f"{many(len(verdicts), 'artifact')} passed{': ' if found else ''}{found}"


def rule_words(rule: Rule) -> str:
    """Say what was measured of what is allowed, and how much of it that is."""
    share = f" ({rule.measured / rule.allowed:.0%})" if rule.allowed > 0 else ""
    measured, allowed = (amount_of(value, rule.unit) for value in (rule.measured, rule.allowed))
    return f"{measured} of {allowed}{share}"


def _verdict(verdict: Verdict, paint: Paint, *, quiet: bool) -> list[str]:
    word = paint("PASS", "ok") if verdict.passed else paint("FAIL", "error")
    against = f", against {verdict.baseline}" if verdict.baseline else ""
    lines = [f"{word} {verdict.function}  {verdict.artifact}{against}"]
    if quiet and verdict.passed:
        return []
    for finding in verdict.findings:
        if not quiet or finding.level == "error":
            lines.extend(_finding(finding, paint))
    if not quiet:
        lines.extend(
            f"  {paint('ok', 'ok')}      {rule.title}: {rule_words(rule)}"
            for rule in verdict.rules
            if rule.passed
        )
    return lines


def _finding(finding: GateFinding, paint: Paint) -> list[str]:
    where = f"  [{finding.spot.file}:{finding.spot.line}]" if finding.spot else ""
    head, *rest = _wrapped(f"{finding.code} {finding.message}{where}", first=" " * 10)
    lines = [f"  {paint(finding.level, finding.level)}{head[2 + len(finding.level) :]}", *rest]
    for detail in finding.details:
        lines.extend(_wrapped(detail, first=" " * 12, rest=" " * 14))
    if finding.hint:
        lines.extend(_wrapped(f"hint: {finding.hint}", first=" " * 10, rest=" " * 10))
    return lines


def _wrapped(sentence: str, *, first: str, rest: str = " " * 10) -> list[str]:
    from textwrap import wrap  # noqa: PLC0415 -- an artifact without findings needs none

    return wrap(
        sentence,
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
