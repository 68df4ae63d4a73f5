"""Ports for servers that must be told one, and ports where nobody listens."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10_240


def free_port() -> int:
    """A port of 127.0.0.1 that is free now, and that no connection or other server is given.

    The system hands out ports of a range of its own; one of those may be taken again before the
    server for which it was chosen has started.
    """
    first = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    while True:
        port = random.SystemRandom().randrange(_LOWEST, max(first, _LOWEST + 1024))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 where nobody listens, and that nobody else is given meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
