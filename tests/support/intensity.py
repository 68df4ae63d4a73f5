"""How much the fault programmes do: little in every run of the tests, much in `make torture`."""

import os

TORTURE = os.environ.get("LPACK_TORTURE") == "1"


def times(usual: int, torture: int) -> int:
    """Give the number for this run."""
    return torture if TORTURE else usual


def examples(usual: int) -> int:
    """Give how many examples a property tries: 10,000 over all in CI, 1,000,000 in torture."""
    return times(usual, 100 * usual)
