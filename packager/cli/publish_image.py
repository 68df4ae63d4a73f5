"""`lpack publish image`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from packager.cli import completion
from packager.cli.console import Console
from packager.cli.invoke import choose_artifact
from packager.errors import CannotPublish, UsageError
from packager.pipeline.publish import PublishedImage, publish_image, target_of
from packager.registry.access import Access
from packager.registry.docker_config import Login, find_login
from packager.report.text import many, mib


@click.command("image")
@click.argument("name", shell_complete=completion.functions)
@click.argument("reference")
@click.option(
    "--artifact",
    type=click.Path(path_type=Path),
    help="The folder with NAME.lpack.json, or that file; dist by default.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be uploaded.")
@click.option("--username", metavar="NAME", help="Instead of what `docker login` keeps.")
@click.option("--password-stdin", is_flag=True, help="Read its password from standard input.")
@click.option(
    "--token-host",
    "token_hosts",
    multiple=True,
    metavar="HOST",
    help="Another host that the registry may ask a token of.",
)
@click.option("--insecure", is_flag=True, help="Speak http with other machines too.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
def command(name: str, reference: str, **values: Any) -> int:  # noqa: ANN401 -- click's values
    """Push the image of the function NAME to REFERENCE, and print it with its digest.

    Only blobs that the repository does not have are uploaded; those of a base on the same
    registry are mounted. Credentials are those of `docker login`, credential helpers included.

    \b
    lpack publish image api 123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:1.0
    lpack publish image api localhost:5000/api --dry-run
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    path, manifest = choose_artifact(values["artifact"], name)
    image = manifest.get("image")
    if manifest["artifact"]["kind"] != "image" or not image:
        raise UsageError(
            f"`{path}` is no image's, but that of a {manifest['artifact']['kind']}",
            hint=f"lpack build {name} --package-type image",
        )
    published = publish_image(
        path.with_name(manifest["artifact"]["path"]),
        target_of(reference),
        access=_access(values),
        expected_digest=f"sha256:{manifest['artifact']['sha256']}",
        base=_base_reference(image),
        dry_run=values["dry_run"],
        reporter=Console(-1 if values["quiet"] else 0),
    )
    if values["output_format"] == "json":
        click.echo(json.dumps({"schema_version": 1, **published.to_document()}))
    else:
        click.echo(_text(published))
    return 0


def _base_reference(image: Mapping[str, Any]) -> str | None:
    base = image.get("base") or {}
    return base["reference"] if base.get("kind") == "registry" else None


def _access(values: Mapping[str, Any]) -> Access:
    username = values["username"]
    if bool(username) != values["password_stdin"]:
        raise UsageError(
            "`--username` and `--password-stdin` belong together",
            hint="… | lpack publish image NAME REFERENCE --username AWS --password-stdin",
        )
    given = Login(username, sys.stdin.read().rstrip("\r\n")) if username else None
    return Access(
        login=(lambda _: given) if given is not None else find_login,
        refusal=CannotPublish,
        insecure=values["insecure"],
        token_hosts=values["token_hosts"],
    )


def _text(published: PublishedImage) -> str:
    would = "would be " if published.dry_run else ""
    lines = []
    for outcome, said in (
        ("uploaded", f"{would}uploaded"),
        ("mounted", "mounted"),
        ("there", "there already"),
    ):
        chosen = [each for each in published.blobs if each.outcome == outcome]
        if chosen:
            total = sum(each.compressed_bytes for each in chosen)
            lines.append(f"  {many(len(chosen), 'blob')} {said} ({mib(total)})")
    return "\n".join([*lines, published.reference.text])
