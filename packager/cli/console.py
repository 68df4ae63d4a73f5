"""What people see on stderr: steps, a progress bar, errors. stdout is for results only."""

import os
import sys
import threading
from typing import Any, TextIO

from packager.errors import LpackError

_LEVEL_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan", "ok": "green"}

# Bars of functions that are built at once would be drawn over each other: there is one line.
_DRAWING = threading.Lock()


class Console:
    """A Reporter that writes to stderr; bars only on a terminal, nothing when quiet.

    `verbosity` is -1 (quiet), 0 or 1 (verbose). What was written is kept, so that an unchanged
    build can say it again. A `held` one keeps its lines until `release`, so that those of
    functions built at once stand together and in one order.
    """

    def __init__(self, verbosity: int = 0, *, held: bool = False) -> None:
        """Write nothing yet."""
        self.verbosity = verbosity
        self._held: list[str] | None = [] if held else None
        self.warnings: list[str] = []
        self._bar: Any = None
        self._lock = threading.Lock()

    def step(self, text: str) -> None:
        """Tell what a stage did."""
        if self.verbosity >= 0:
            self._line(styled(text, dim=True))

    def warn(self, text: str) -> None:
        """Tell of something to look at."""
        self.warnings.append(text)
        if self.verbosity >= 0:
            self._line(f"{styled('warning:', fg='yellow', bold=True)} {text}")

    def begin(self, title: str, total_bytes: int) -> None:
        """Open a bar when somebody watches, and no other function's is open."""
        watched = self.verbosity >= 0 and sys.stderr.isatty()
        if watched and _DRAWING.acquire(blocking=False):
            import click  # noqa: PLC0415 -- costs more than a rebuild does by itself

            self._bar = click.progressbar(
                length=total_bytes, label=title, file=sys.stderr, show_pos=False
            )
            self._bar.__enter__()

    def advance(self, done_bytes: int) -> None:
        """Move the bar; threads take turns."""
        if self._bar is not None:
            with self._lock:
                self._bar.update(done_bytes)

    def end(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None
            _DRAWING.release()

    def release(self) -> None:
        """Write the lines that were held, and hold no more."""
        held, self._held = self._held or (), None
        for text in held:
            say(text)

    def _line(self, text: str) -> None:
        if self._held is None:
            say(text)
        else:
            self._held.append(text)


def say(text: str) -> None:
    """Write a line to stderr; it was styled or not already."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def styled(text: str, **style: Any) -> str:  # noqa: ANN401 -- click.style's own keywords
    """Style `text` for stderr, following NO_COLOR and FORCE_COLOR (no-color.org)."""
    return _style(text, **style) if _colours(sys.stderr) else text


def painted(text: str, level: str) -> str:
    """Colour a word of a result on stdout by its level, as `styled` does for stderr."""
    if not _colours(sys.stdout):
        return text
    return _style(text, fg=_LEVEL_COLOURS[level], bold=True)


def _style(text: str, **style: Any) -> str:  # noqa: ANN401 -- likewise
    import click  # noqa: PLC0415 -- as above

    return click.style(text, **style)


def _colours(stream: TextIO) -> bool:
    """Tell whether `stream` takes colour (no-color.org, force-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def render_error(error: LpackError) -> str:
    """Return the error as people see it: one line, its details, one hint."""
    lines = [f"{styled('error:', fg='red', bold=True)} {error.message}"]
    lines.extend(f"  {detail}" for detail in error.details)
    if error.hint:
        lines.append(f"{styled('hint:', fg='cyan', bold=True)} {error.hint}")
    return "\n".join(lines)
