"""Where the `lpack` command starts and ends: the shortest way first.

A build of which nothing changed, or only the user's code, is answered without ever loading the
command line library.
"""

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run `lpack` with the arguments of this process and exit with its code."""
    # A build makes thousands of small tuples and hardly any cycle: looking for cycles as often
    # as usual takes a twentieth of a rebuild.
    gc.set_threshold(100_000)
    arguments = sys.argv[1:]
    if arguments[:1] == ["build"]:
        from packager.cli.unchanged import recall, replay  # noqa: PLC0415 -- only for `build`

        stamp = recall(arguments)
        code = replay(stamp) if stamp is not None else None
        if code is None and stamp is not None:
            from packager.cli.ahead import begun  # noqa: PLC0415 -- only when something changed

            with begun(stamp) as ahead:
                from packager.cli.again import rebuild  # noqa: PLC0415 -- loaded meanwhile

                code = rebuild(arguments, stamp, ahead)
        if code is not None:
            leave(code)
    from packager.cli.main import run  # noqa: PLC0415 -- not needed when nothing changed

    leave(run(arguments))


def leave(code: int) -> NoReturn:
    """End the process with `code`, without freeing one by one what the system frees at once.

    Everything that has to be closed was closed by the block that opened it; only the standard
    streams are left.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            # A stream is None when whoever read it has closed it.
            if stream is not None:
                stream.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)
