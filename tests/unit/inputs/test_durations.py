from datetime import UTC, datetime

import pytest

from packager.errors import UsageError
from packager.inputs.durations import find_duration, find_moment, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("90 min", 5400),
        ("12h", 43_200),
        ("1 hour", 3600),
        ("30d", 2_592_000),
        (" 7 Days ", 604_800),
        ("2w", 1_209_600),
    ],
)
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert find_duration(text) == seconds
    assert parse_duration(text, name="x") == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1.5h", "7 moons", "1d 2h", "9999999d"])
def test_no_lengths_of_time(text: str) -> None:
    assert find_duration(text) is None
    with pytest.raises(UsageError, match="not a length of time"):
        parse_duration(text, name="x")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7d", "2026-01-08T12:00:00Z"),
        ("2026-01-01", "2026-01-01T00:00:00Z"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00Z"),
        ("2026-01-01 10:00", "2026-01-01T10:00:00Z"),
        ("soon", None),
        ("2026-13-01", None),
        ("999999w", None),
    ],
)
def test_moments(text: str, moment: str | None) -> None:
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    assert find_moment(text, now=now) == moment
