"""The kinds of findings: codes never change their meaning."""

from typing import Literal, NamedTuple

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")


class FindingCode(NamedTuple):
    """One kind of finding: what it means and what to do about it. `advice` is Markdown."""

    code: str
    name: str
    level: Level
    meaning: str
    advice: str
