import pytest

from packager.errors import UsageError
from packager.inputs.durations import find_duration, parse_duration


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
