"""Differences as text for people: at most 100 columns. Pure."""

from collections.abc import Sequence
from textwrap import wrap

from packager.model.difference import Difference, DistributionChange, FileChange
from packager.model.figures import many, mib, signed
from packager.model.growth_text import change_words

_COLUMNS = 100
_SIGNS = {"added": "+", "removed": "−", "changed": "~", "resized": "~"}
_SIGNS |= {"bundled": "+", "left-out": "−"}
ROWS = 12
"""How many rows a table has unless somebody asks for more; 0 is all of them."""


def render_differences(differences: Sequence[Difference], *, rows: int = ROWS) -> str:
    """Return a block for each difference; `rows` of distributions and of files, 0 for all."""
    blocks = [_difference(difference, rows) for difference in differences]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _difference(difference: Difference, rows: int) -> list[str]:
    old, new = difference.old, difference.new
    lines = [f"{old.label} → {new.label}"]
    if old.target != new.target:
        lines.append(f"  target: {old.target} → {new.target}")
    lines += [
        "",
        f"  {'':<34}{'unzipped':>22}{'zipped':>22}",
        *_distribution_rows(difference, rows),
        "  " + "─" * 78,
        _row("total", difference.uncompressed_delta, difference.compressed_delta),
        _totals(difference),
    ]
    if not difference.distributions and not difference.files:
        return [lines[0], "  nothing changed"]
    lines += _reasons(difference, rows)
    lines += _files(difference.files, rows)
    return lines


def _totals(difference: Difference) -> str:
    pairs = (
        (difference.old.uncompressed_bytes, difference.new.uncompressed_bytes),
        (difference.old.compressed_bytes, difference.new.compressed_bytes),
    )
    texts = [f"{mib(old)} → {mib(new)}" for old, new in pairs]
    return f"  {'':<30}{texts[0]:>26}{texts[1]:>22}"


def _distribution_rows(difference: Difference, rows: int) -> list[str]:
    changes = difference.distributions
    shown, rest = (changes, ()) if not rows else (changes[:rows], changes[rows:])
    lines = [_row(_title(c), c.uncompressed_delta, c.compressed_delta) for c in shown]
    if rest:
        unzipped = sum(change.uncompressed_delta for change in rest)
        zipped = sum(change.compressed_delta for change in rest)
        lines.append(_row(f"… {len(rest)} more (-n 0 shows all)", unzipped, zipped))
    code = (difference.code_uncompressed_delta, difference.code_compressed_delta)
    if any(code):
        lines.append(_row("~ your code", *code))
    return lines


def _title(change: DistributionChange) -> str:
    versions = " → ".join(dict.fromkeys(filter(None, (change.old_version, change.new_version))))
    return f"{_SIGNS[change.kind]} {change.name} {versions}"


def _row(title: str, unzipped: int, zipped: int) -> str:
    cut = title if len(title) <= 44 else title[:43] + "…"
    return f"  {cut:<44}{signed(unzipped):>12}{signed(zipped):>22}"


def _reasons(difference: Difference, rows: int) -> list[str]:
    """Tell of what grew the artifact, and of what left it, why."""
    changes = difference.distributions[: rows or None]
    lines = []
    for change in changes:
        text = f"{signed(change.compressed_delta)}: {change_words(change)}"
        lines.extend(wrap(text, _COLUMNS, initial_indent="  ", subsequent_indent=" " * 6))
    return ["", *lines] if lines else []


def _files(files: Sequence[FileChange], rows: int) -> list[str]:
    if not files:
        return []
    shown, rest = (files, ()) if not rows else (files[:rows], files[rows:])
    lines = ["", f"  {many(len(files), 'file')} differ{'s' if len(files) == 1 else ''}"]
    for change in shown:
        delta = f"{signed(change.uncompressed_delta):>12}{signed(change.compressed_delta):>12}"
        lines.append(f"  {_SIGNS[change.kind]} {_shortened(change.path):<70}{delta}")
    if rest:
        lines.append(f"  … {len(rest):,} more (-n 0 shows all)")
    return lines


def _shortened(path: str) -> str:
    return path if len(path) <= 70 else f"…{path[-69:]}"
