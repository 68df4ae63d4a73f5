"""`lpack publish`: a group whose commands are loaded when they are asked for."""

import importlib

import click

_COMMANDS = {
    "zip": "Upload a built zip to S3, or straight into a function.",
    "layer": "Publish a version of a built Lambda layer.",
    "image": "Push a built container image to a registry.",
}


class _LazyGroup(click.Group):
    """Loads `packager.cli.publish_NAME` for the command NAME."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name`."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"packager.cli.publish_{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group("publish", cls=_LazyGroup)
def command() -> None:
    """Bring a built artifact to where functions are created from it.

    Functions themselves are made by Terraform, SAM, CDK and the like, which take what this prints.
    """
