"""Verdicts and differences as Markdown: step summaries, merge request comments. Pure."""

from collections.abc import Iterator, Sequence
from html import escape

from packager.model.difference import Difference
from packager.model.figures import mib, signed
from packager.model.growth_text import change_words
from packager.model.verdict import GateFinding, Verdict
from packager.report.gate_text import rule_words, summary_of
from packager.report.markdown_text import MARK, code_span, plain

_MOST_CHARACTERS = 65_000
"""GitHub takes comments of 65,536 characters; a summary may be 1 MiB, but nobody reads that."""
_ROWS = 20
_SIGNS = {"error": "❌", "warning": "⚠️", "note": "ℹ️"}  # noqa: RUF001 -- the sign for notes


def render_check_markdown(verdicts: Sequence[Verdict]) -> str:
    """Return the report of a check; what is too long is cut where a block ends."""
    blocks = [f"{MARK}\n### lpack: {plain(summary_of(verdicts))}", _overview(verdicts)]
    for verdict in verdicts:
        blocks.extend(_verdict_blocks(verdict))
    return _capped(blocks)


def render_diff_markdown(differences: Sequence[Difference]) -> str:
    """Return the report of a comparison."""
    blocks = [MARK]
    for difference in differences:
        names = f"{code_span(difference.old.label)} → {code_span(difference.new.label)}"
        totals = f"{_delta(difference, zipped=True)} zipped, {_delta(difference)} unzipped"
        blocks.append(f"### {names}: {totals}")
        blocks.extend(_difference_blocks(difference))
    return _capped(blocks)


def _capped(blocks: Sequence[str]) -> str:
    text = ""
    for block in blocks:
        if len(text) + len(block) > _MOST_CHARACTERS:
            return f"{text}_The rest is left out; `lpack check` prints all of it._\n"
        text += f"{block}\n\n"
    return text.rstrip("\n") + "\n"


def _overview(verdicts: Sequence[Verdict]) -> str:
    rows = ["| function | artifact | zipped | unzipped | files | |", "|---|---|--:|--:|--:|---|"]
    for verdict in verdicts:
        zipped, unzipped = mib(verdict.compressed_bytes), mib(verdict.uncompressed_bytes)
        if verdict.difference is not None:
            zipped += f" ({_delta(verdict.difference, zipped=True)})"
            unzipped += f" ({_delta(verdict.difference)})"
        sign = "✅" if verdict.passed else "❌"
        cells = [plain(verdict.function), code_span(verdict.artifact), zipped, unzipped]
        rows.append(f"| {' | '.join(cells)} | {verdict.entries:,} | {sign} |")
    return "\n".join(rows)


def _verdict_blocks(verdict: Verdict) -> Iterator[str]:
    if verdict.findings:
        yield "\n".join(
            [f"**{plain(verdict.function)}**", "", *map(_finding, verdict.findings[:_ROWS])]
        )
    if verdict.rules:
        rows = [
            f"| {'✅' if rule.passed else '❌'} | {plain(rule.title)} | {rule_words(rule)} |"
            for rule in verdict.rules
        ]
        table = "\n".join(["| | rule | |", "|---|---|--:|", *rows[:_ROWS]])
        yield _details(f"{escape(verdict.function)}: limits and budgets", table)
    if verdict.difference is not None and verdict.difference.distributions:
        inner = "\n\n".join(_difference_blocks(verdict.difference))
        yield _details(f"{escape(verdict.function)}: what changed", inner)


def _finding(finding: GateFinding) -> str:
    where = f" ({code_span(f'{finding.spot.file}:{finding.spot.line}')})" if finding.spot else ""
    head = f"- {_SIGNS[finding.level]} **{finding.code}** {plain(finding.message)}{where}"
    return "\n".join([head, *(f"  - {plain(detail)}" for detail in finding.details)])


def _difference_blocks(difference: Difference) -> Iterator[str]:
    changes = difference.distributions
    rows = [
        f"| {signed(change.compressed_delta)} | {signed(change.uncompressed_delta)} "
        f"| {plain(change_words(change))} |"
        for change in changes[:_ROWS]
    ]
    code = (difference.code_compressed_delta, difference.code_uncompressed_delta)
    if any(code):
        rows.append(f"| {signed(code[0])} | {signed(code[1])} | your code |")
    if rows:
        yield "\n".join(["| zipped | unzipped | distribution |", "|--:|--:|---|", *rows])
    if len(changes) > _ROWS:
        yield f"… and {len(changes) - _ROWS} more distributions"
    if difference.files:
        listed = [
            f"| {code_span(change.path)} | {change.kind} | {signed(change.compressed_delta)} "
            f"| {signed(change.uncompressed_delta)} |"
            for change in difference.files[:_ROWS]
        ]
        head = ["| file | | zipped | unzipped |", "|---|---|--:|--:|"]
        count = f"{len(difference.files):,} files differ"
        most = f", the {_ROWS} largest" if len(difference.files) > _ROWS else ""
        yield _details(f"{count}{most}", "\n".join([*head, *listed]))


def _delta(difference: Difference, *, zipped: bool = False) -> str:
    return signed(difference.compressed_delta if zipped else difference.uncompressed_delta)


def _details(title: str, inner: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{inner}\n\n</details>"
