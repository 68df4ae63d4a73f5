"""Parses JSON and TOML that somebody else wrote: whatever is wrong with it is a ValueError.

The parsers of the standard library give up in two more ways: nesting beyond what the interpreter
can follow is a RecursionError, and a number of thousands of digits is a ValueError that speaks of
the interpreter's settings.
"""

# Some readers are on the way of every rebuild: neither parser is loaded before it is needed.

from typing import Any


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 -- whatever it holds
    """Return what `text` is as JSON (RFC 8259); raises ValueError."""
    import json  # noqa: PLC0415 -- see above

    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except (ValueError, RecursionError) as error:
        raise ValueError(_reason(error)) from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return what `text` is as TOML (1.0); raises ValueError."""
    import tomllib  # noqa: PLC0415 -- see above

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise ValueError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "a number in it has thousands of digits"
