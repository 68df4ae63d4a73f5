"""`lpack publish layer`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from packager.cli.console import Console
from packager.cli.publications import aws_options, show
from packager.errors import UsageError
from packager.parsing import parse_json
from packager.pipeline.publish_aws import Account, Wanted, publish_layer

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
    path = _choose(values["artifact"] or Path("dist"), name)
    manifest = _read(path)
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


def _choose(given: Path, name: str | None) -> Path:
    """Return the manifest of the layer that is meant; raises UsageError for none and several."""
    if given.is_file():
        beside = given.with_name(given.name.removesuffix(".zip") + ".lpack.json")
        return given if given.name.endswith(_SUFFIX) else beside
    found = sorted(given.glob(f"*{_SUFFIX}")) if given.is_dir() else []
    names = [path.name.removesuffix(_SUFFIX) for path in found]
    chosen = [path for path, known in zip(found, names, strict=True) if name in {None, known}]
    if not chosen:
        hint = f"known: {', '.join(names)}" if names else "lpack build makes [tool.lpack.layers]"
        what = f"no layer is called `{name}`" if name else "there is no layer"
        raise UsageError(f"{what} in `{given}`", hint=hint)
    if len(chosen) > 1:
        raise UsageError(
            f"there are {len(chosen)} layers: {', '.join(names)}",
            hint=f"lpack publish layer {names[0]}",
        )
    return chosen[0]


def _read(path: Path) -> Mapping[str, Any]:
    """Read what a layer's manifest says of its zip and target; raises UsageError for another."""
    refusal = UsageError(f"`{path}` is not a layer's manifest of lpack", hint="lpack build")
    try:
        manifest: Mapping[str, Any] = parse_json(path.read_text(encoding="utf-8"))
        facts = [manifest["artifact"][key] for key in ("path", "sha256")]
        facts += [manifest["target"][key] for key in ("runtime", "architecture")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise refusal from error
    if not all(isinstance(fact, str) for fact in facts):
        raise refusal
    return manifest
