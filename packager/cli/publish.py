"""`lpack publish`: a group whose commands are loaded when they are asked for."""

import click

from packager.cli.lazy_group import LazyGroup

_COMMANDS = {
    "zip": "Upload a built zip to S3, or straight into a function.",
    "layer": "Publish a version of a built Lambda layer.",
    "image": "Push a built container image to a registry.",
}


@click.group("publish", cls=LazyGroup, summaries=_COMMANDS, prefix="packager.cli.publish_")
def command() -> None:
    """Bring a built artifact to where functions are created from it.

    Functions themselves are made by Terraform, SAM, CDK and the like, which take what this prints.
    """
