"""How patient a download is."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How patient a download is. All times are seconds.

    The delay doubles from `first_delay` with each try and is varied at random, so that many
    builds do not come back together. `read_timeout` is the longest silence of a server,
    `deadline` the longest time for one file with all its tries.
    """

    attempts: int = 4
    first_delay: float = 0.5
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    deadline: float = 1800.0


DEFAULT_POLICY: Final = RetryPolicy()
