"""The word somebody probably meant. Pure."""

from collections.abc import Sequence


def nearest(word: str, choices: Sequence[str], *, cutoff: float = 0.6) -> str | None:
    """Give the choice that looks most like `word`, if any does."""
    import difflib  # noqa: PLC0415 -- loaded only when an error is being worded

    found = difflib.get_close_matches(word, choices, n=1, cutoff=cutoff)
    return found[0] if found else None
