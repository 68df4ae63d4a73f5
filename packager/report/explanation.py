"""Explained error lines, as text for people and as JSON-ready values. Pure."""

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from packager.model.explanation import Explanation

_COLUMNS = 100
_NO_BREAK = "\N{NO-BREAK SPACE}"


def render_explanations(explanations: Sequence[Explanation]) -> str:
    """Return one paragraph for each: the line, its meaning, the cause here, what to do."""
    return "\n".join(_paragraph(each) for each in explanations)


def explanation_rows(explanations: Sequence[Explanation]) -> list[dict[str, Any]]:
    """Return the explanations as JSON-ready values."""
    return [
        {
            "code": each.error.code,
            "when": each.error.when,
            "line": each.error.line,
            "parts": dict(each.error.parts),
            "meaning": each.error.meaning,
            "causes": list(each.causes),
            "advice": list(each.advice),
            "source": each.error.source,
        }
        for each in explanations
    ]


def _paragraph(explanation: Explanation) -> str:
    error = explanation.error
    lines = [error.line]
    lines += _part("meaning", error.meaning)
    for cause in explanation.causes:
        lines += _part("cause", cause)
    for number, advice in enumerate(explanation.advice):
        lines += _part("do" if number == 0 else "or", advice)
    return "".join(f"{line}\n" for line in lines)


def _part(word: str, sentence: str) -> list[str]:
    """Break a sentence under its word, but never inside of what can be pasted."""
    whole = re.sub(r"`[^`]+`", lambda match: match[0].replace(" ", _NO_BREAK), sentence)
    lines = wrap(
        whole,
        _COLUMNS,
        initial_indent=f"  {word:<9}",
        subsequent_indent=" " * 11,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]
