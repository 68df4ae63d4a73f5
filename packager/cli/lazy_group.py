"""Groups whose commands are loaded when they are asked for: start-up time is a feature."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Loads `PREFIX + NAME` for the command NAME, and lists all without loading any.

    `summaries` are the commands with one line each, in the order they are listed.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 -- click's own
        summaries: Mapping[str, str],
        prefix: str,
        **options: Any,  # noqa: ANN401 -- likewise
    ) -> None:
        """Take what a group takes, and where its commands lie."""
        super().__init__(*arguments, **options)
        self.summaries = summaries
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the summaries."""
        del ctx
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name`."""
        del ctx
        if cmd_name not in self.summaries:
            return None
        command: click.Command = importlib.import_module(self._prefix + cmd_name).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))
