"""How stages tell of their progress without printing."""

from typing import Protocol


class Reporter(Protocol):
    """Receives what happens; the command line decides what of it is shown, and where."""

    def step(self, text: str) -> None:
        """Tell that a stage did something worth a line, such as `locked 23 distributions`."""

    def warn(self, text: str) -> None:
        """Tell of something the user should look at although the build goes on."""

    def begin(self, title: str, total_bytes: int) -> None:
        """Open a progress bar of `total_bytes`."""

    def advance(self, done_bytes: int) -> None:
        """Move the open bar by `done_bytes`; called from several threads."""

    def end(self) -> None:
        """Close the open bar."""


class NullReporter:
    """A reporter that hears everything and says nothing."""

    def step(self, text: str) -> None:
        """Ignore the step."""

    def warn(self, text: str) -> None:
        """Ignore the warning."""

    def begin(self, title: str, total_bytes: int) -> None:
        """Open nothing."""

    def advance(self, done_bytes: int) -> None:
        """Move nothing."""

    def end(self) -> None:
        """Close nothing."""
