"""Lengths of time as people write them (`90 min`, `12h`, `30d`, `2 weeks`), and moments."""

import re
from datetime import UTC, datetime, timedelta

from packager.errors import UsageError

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORDS = {
    "second": "s", "minute": "min", "hour": "h", "day": "d", "week": "w",
}  # fmt: skip


def find_duration(text: str) -> int | None:
    """Return the seconds that `text` means, None when it is no length of time."""
    found = re.fullmatch(r"([0-9]{1,6})\s*([a-z]+)", text.strip().lower())
    if found is None:
        return None
    unit = found[2].removesuffix("s") if len(found[2]) > 1 else found[2]
    seconds = _SECONDS.get(_WORDS.get(unit, unit))
    return None if seconds is None else int(found[1]) * seconds


def parse_duration(text: str, *, name: str) -> int:
    """Return the seconds that `text` means; raises UsageError for what is no length of time."""
    seconds = find_duration(text)
    if seconds is None:
        raise UsageError(
            f"{name} is `{text}`, not a length of time", hint="a length of time is 30d, 12h or 2w"
        )
    return seconds


def find_moment(text: str, *, now: datetime | None = None) -> str | None:
    """Return a date or `7d` (before `now`) in RFC 3339 and UTC, None when it is neither.

    A date means its beginning, and a time without a zone is UTC: the same everywhere.
    """
    seconds = find_duration(text)
    try:
        if seconds is not None:
            moment = (now or datetime.now(UTC)) - timedelta(seconds=seconds)
        else:
            moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return None
