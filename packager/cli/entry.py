"""Where the `lpack` command starts: the shortest way first.

A build of which nothing changed is answered before the command line library is loaded.
"""

import sys


def main() -> None:
    """Run `lpack` with the arguments of this process and exit with its code."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["build"]:
        from packager.cli.unchanged import replay  # noqa: PLC0415 -- only for `build`

        code = replay(arguments)
        if code is not None:
            sys.exit(code)
    from packager.cli.main import run  # noqa: PLC0415 -- not needed when nothing changed

    sys.exit(run(arguments))
