"""`lpack publish layer`."""

from typing import Any

import click

from packager.cli.console import Console
from packager.cli.manifests import find_manifests, read_manifest
from packager.cli.publications import aws_options, show
from packager.errors import UsageError
from packager.pipeline_publish_aws import Account, Wanted, publish_layer

_SUFFIX = ".layer.lpack.json"


@click.command("layer")
@click.argument("name", required=False)
@click.option("--layer-name", metavar="NAME", help="The layer at AWS; NAME without it.")
@aws_options
def command(name: str | None, layer_name: str | None, **values: Any) -> int:  # noqa: ANN401 -- click's values
    """Publish the layer NAME as a new version, unless the newest one has the same bytes.

    The version's ARN is printed. A layer of 50 MiB or more goes through S3, by --s3.

    \b
    lpack publish layer deps
    lpack publish layer deps --layer-name shared-deps --s3 s3://bucket/layers/
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    given = values["artifact"]
    paths = [path for path in find_manifests(given) if path.name.endswith(_SUFFIX)]
    names = [path.name.removesuffix(_SUFFIX) for path in paths]
    chosen = [path for path, known in zip(paths, names, strict=True) if name in {None, known}]
    if not chosen:
        known = f"known: {', '.join(names)}" if names else "lpack build makes [tool.lpack.layers]"
        raise UsageError(
            f"no layer is called `{name}`" if name else "there is no layer", hint=known
        )
    if len(chosen) > 1:
        raise UsageError(
            f"there are {len(chosen)} layers: {', '.join(names)}",
            hint=f"lpack publish layer {names[0]}",
        )
    (path,) = chosen
    manifest = read_manifest(path)
    wanted = Wanted(
        artifact=path.with_name(manifest["artifact"]["path"]),
        manifest=manifest,
        account=Account(region=values["region"], profile=values["profile"]),
        layer_name=layer_name or path.name.removesuffix(_SUFFIX),
        place=values["place"],
        dry_run=values["dry_run"],
    )
    published = publish_layer(wanted, reporter=Console(-1 if values["quiet"] else 0))
    show(published, values["output_format"], quiet=values["quiet"])
    return 0
