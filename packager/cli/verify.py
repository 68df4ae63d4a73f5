"""`lpack verify`."""

from pathlib import Path

import click

from packager.cli.manifests import find_manifests, read_manifest
from packager.errors import UsageError
from packager.verify.artifact import check_artifact

_CHECK_FAILED = 1


@click.command("verify")
@click.argument("artifacts", nargs=-1, type=click.Path(path_type=Path))
def command(artifacts: tuple[Path, ...]) -> int:
    """Inflate every file of the zips and recompute every claim of their manifests.

    \b
    lpack verify                     all in dist
    lpack verify dist/api.zip
    """  # noqa: D301 -- \b is click's mark for lines that stay as they are
    manifests = [path for given in artifacts or (None,) for path in find_manifests(given)]
    failed = False
    for path in manifests:
        manifest = read_manifest(path)
        try:
            artifact = path.with_name(manifest["artifact"]["path"])
            if not artifact.is_file():
                raise UsageError(f"`{artifact}` is not there", hint="lpack build")
            faults = check_artifact(artifact, manifest)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise UsageError(f"`{path}` is not a manifest of lpack", hint="lpack build") from error
        failed = failed or bool(faults)
        claimed = manifest["artifact"]
        verdict = "FAIL" if faults else "ok  "
        click.echo(f"{verdict} {artifact}  {claimed['entries']} files, sha256 {claimed['sha256']}")
        for fault in faults:
            click.echo(f"     {fault}")
    return _CHECK_FAILED if failed else 0
