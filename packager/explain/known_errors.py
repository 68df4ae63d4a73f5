"""Recognize known error lines in any text: one line, or a whole log. Pure but for its data file."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from packager.model.explanation import KnownError
from packager.model.redaction import redact_text

_DATA = Path(__file__).parent / "data" / "errors.toml"
_VALUES = re.compile(r"(String measured:).*")
"""AWS repeats the environment variables that are too large, and with them their secrets."""

_LONGEST_LINE = 300
_LONGEST_TEXT = 20_000
"""Characters of one line that are looked at: more is a dump, and patterns must stay cheap."""


class _Hit(NamedTuple):
    """Where an entry of the data file fits a line."""

    start: int
    end: int
    entry: dict[str, Any]
    parts: dict[str, str]


def recognize(text: str) -> tuple[KnownError, ...]:
    """Return every known error in `text`, in its order, each once.

    The same line with other figures or names counts as another error.
    """
    found: dict[tuple[str, tuple[tuple[str, str], ...]], KnownError] = {}
    for line in text.splitlines():
        for hit in _hits(line[:_LONGEST_TEXT]):
            error = _error(hit, line)
            found.setdefault((error.code, tuple(sorted(error.parts.items()))), error)
    return tuple(_without_vaguer(list(found.values())))


def known_codes() -> tuple[str, ...]:
    """Return the codes of everything that can be recognized, in the order of the data file."""
    return tuple(entry["code"] for entry in _entries())


def _hits(line: str) -> list[_Hit]:
    """Return what fits `line`; of several entries that fit the same words, the first one."""
    taken: list[_Hit] = []
    for entry in _entries():
        for pattern in entry["compiled"]:
            for match in pattern.finditer(line):
                start, end = match.span()
                if any(start < hit.end and hit.start < end for hit in taken):
                    continue
                parts = {name: part for name, part in match.groupdict().items() if part}
                taken.append(_Hit(start, end, entry, parts))
    return sorted(taken, key=lambda hit: hit.start)


def _error(hit: _Hit, line: str) -> KnownError:
    shown = " ".join(line.split())
    if len(shown) > _LONGEST_LINE:
        # What was recognized, not the beginning of the dump around it.
        shown = " ".join(line[max(0, hit.start - 60) : hit.end + 60].split())
    return KnownError(
        code=hit.entry["code"],
        when=hit.entry["when"],
        line=redact_text(_VALUES.sub(r"\1 ***", shown)),
        parts=hit.parts,
        meaning=_filled(hit.entry["meaning"], hit.parts),
        lookup=hit.entry["lookup"],
        advice=tuple(_filled(each, hit.parts) for each in hit.entry["do"]),
        source=hit.entry["source"],
    )


def _without_vaguer(errors: list[KnownError]) -> Iterator[KnownError]:
    """Leave out an error without particulars where the same kind was found with some."""
    told = {error.code for error in errors if error.parts}
    return (error for error in errors if error.parts or error.code not in told)


def _filled(text: str, parts: dict[str, str]) -> str:
    """Put the parts in; a brace of something to paste stays as it is."""
    return re.sub(r"\{(\w+)\}", lambda match: parts.get(match[1], match[0]), text)


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    with _DATA.open("rb") as stream:
        entries = tomllib.load(stream)["error"]
    for entry in entries:
        entry["compiled"] = tuple(re.compile(pattern) for pattern in entry["patterns"])
    return tuple(entries)
