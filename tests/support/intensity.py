"""How much the fault programmes do: little in every run of the tests, much in `make torture`."""

import os

TORTURE = os.environ.get("LPACK_TORTURE") == "1"


def times(usual: int, torture: int) -> int:
    """Give the number for this run."""
    return torture if TORTURE else usual
