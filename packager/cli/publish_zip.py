"""`lpack publish zip`."""

from typing import Any

import click

from packager.cli import completion
from packager.cli.console import Console
from packager.cli.invoke import choose_artifact
from packager.cli.publications import aws_options, show
from packager.errors import UsageError
from packager.model.publication import Publication
from packager.pipeline.publish_aws import Account, Wanted, publish_zip


@click.command("zip")
@click.argument("name", required=False, shell_complete=completion.functions)
@click.option("--function-name", metavar="NAME", help="The function at AWS that gets the code.")
@aws_options
def command(name: str | None, function_name: str | None, **values: Any) -> int:  # noqa: ANN401 -- click's values
    """Upload the zip of the function NAME to S3, or put it straight into a function.

    Nothing is uploaded twice: an object or a function that has exactly these bytes stays, and an
    upload that was cut off is continued. A zip below 50 MiB goes straight into the function,
    unless the settings say `upload = "s3"`. A key that ends in a slash gets a name made of the
    content. Archives that the function fetches at start (`offload-from = "s3"`) are uploaded
    first, and the zip then names their versions.

    \b
    lpack publish zip --function-name api
    lpack publish zip --s3 s3://bucket/lambda/
    lpack publish zip api --s3 s3://bucket/api.zip --function-name api --dry-run
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    path, manifest = choose_artifact(values["artifact"], name, choosing="lpack publish zip")
    if manifest["artifact"]["kind"] != "zip":
        raise UsageError(f"`{path}` is of an image", hint="lpack publish image")
    artifact = path.with_name(manifest["artifact"]["path"])
    if function_name is None and values["place"] is None:
        raise UsageError(
            f"where `{artifact}` should go is not said",
            hint="--function-name NAME, or --s3 s3://BUCKET/KEY",
        )
    wanted = Wanted(
        artifact=artifact,
        manifest=manifest,
        account=Account(region=values["region"], profile=values["profile"]),
        function_name=function_name,
        place=values["place"],
        through_s3=manifest["function"]["upload"] == "s3",
        dry_run=values["dry_run"],
    )
    console = Console(-1 if values["quiet"] else 0)
    archives: list[Publication] = []
    if manifest["offload"]:
        # Loaded here because most functions fetch nothing at start.
        from packager.pipeline.publish_offload import publish_archives  # noqa: PLC0415

        wanted, archives = publish_archives(wanted, path, reporter=console)
    published = (*archives, *publish_zip(wanted, reporter=console))
    show(published, values["output_format"], quiet=values["quiet"])
    return 0
