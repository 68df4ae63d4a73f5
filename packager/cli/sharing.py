"""The shared store at the end of a command."""

import os


def finish_sharing(verbosity: int) -> None:
    """Give the shared store what was made, now that everything else is done."""
    if os.environ.get("LPACK_SHARED_STORE"):
        from packager.cli.console import Console  # noqa: PLC0415 -- as below
        from packager.pipeline.shared import finish_uploads  # noqa: PLC0415 -- few have one

        finish_uploads(Console(verbosity))
