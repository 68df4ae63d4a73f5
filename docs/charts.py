"""Bars as SVG: text that stays text, readable on light and on dark pages, narrow as a phone."""

import html
from collections.abc import Sequence
from typing import NamedTuple

_WIDTH, _MARGIN, _BAR, _GAP, _LABEL = 440, 14, 15, 5, 24
_TEXT_WIDTH = 7.4
_COLOURS = ("#8b949e", "#2f81f7", "#1a9e5c", "#bf5af2")
_STYLE = """\
text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1f2328}
.h{font-weight:600}.n{fill:#59636e}.page{fill:#ffffff}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9198a1}.page{fill:#0d1117}}"""


class Bar(NamedTuple):
    """A value and how it is written; `series` is its place in the legend."""

    series: int
    value: float
    text: str


class Group(NamedTuple):
    """Bars that belong together, below their name."""

    name: str
    bars: Sequence[Bar]


def bar_chart(title: str, legend: Sequence[str], groups: Sequence[Group]) -> str:
    """Draw the groups below each other; all bars share one scale that begins at zero."""
    top = _MARGIN + 16
    parts = [_text(_MARGIN, top, title, "h")]
    for number, name in enumerate(legend):
        top += _LABEL - 4
        parts.append(_block(_MARGIN, top - 10, 11, 11, number))
        parts.append(_text(_MARGIN + 18, top, name))
    longest = max(len(bar.text) for group in groups for bar in group.bars)
    room = _WIDTH - 2 * _MARGIN - longest * _TEXT_WIDTH - 6
    largest = max(bar.value for group in groups for bar in group.bars)
    top += 8
    for group in groups:
        top += _LABEL
        parts.append(_text(_MARGIN, top, group.name, "n"))
        top += 7
        for bar in group.bars:
            width = max(room * bar.value / largest, 1.5)
            parts.append(_block(_MARGIN, top, width, _BAR, bar.series))
            parts.append(_text(_MARGIN + width + 6, top + _BAR - 3, bar.text))
            top += _BAR + _GAP
    height = round(top + _MARGIN)
    told = "; ".join(
        f"{group.name}: " + ", ".join(f"{legend[bar.series]} {bar.text}" for bar in group.bars)
        for group in groups
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">\n'
        f"<title>{html.escape(title)}</title>\n<desc>{html.escape(told)}</desc>\n"
        f"<style>{_STYLE}</style>\n"
        f'<rect class="page" width="{_WIDTH}" height="{height}" rx="8"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _block(x: float, y: float, width: float, height: float, series: int) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height}" rx="2" '
        f'fill="{_COLOURS[series]}"/>'
    )


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    marked = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:g}"{marked}>{html.escape(text)}</text>'
