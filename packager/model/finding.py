"""What a check has to say about an artifact: one finding, in a user's words."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""Worst first: an `error` will not work on the target, a `warning` may not, a `note` explains."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One answer of a check.

    `code` is stable and machine-readable (`missing-library`). `path` is the name in the archive,
    empty for what concerns the whole artifact. `message` is one sentence without a full stop that
    names the thing; `hint` is one line that can be acted upon.
    """

    code: str
    level: Level
    path: str
    message: str
    hint: str | None = None
