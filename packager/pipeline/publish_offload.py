"""Archives that a function fetches at start go to S3 first; then its zip names their versions.

digests → what is there already → upload → versions into zip and manifest
"""

from pathlib import Path
from typing import Any

from packager.assemble.pinning import pin_versions
from packager.aws.clients import open_client
from packager.aws.file_parts import FileParts, read_parts
from packager.aws.objects import put_file
from packager.aws.places import Place
from packager.errors import UsageError
from packager.model.progress import Reporter
from packager.model.publication import Publication
from packager.parsing import parse_json
from packager.pipeline.publish_aws import Wanted, errors_of


def publish_archives(
    wanted: Wanted, manifest_path: Path, *, reporter: Reporter
) -> tuple[Wanted, list[Publication]]:
    """Upload the archives of `wanted` and pin their versions; returns what is to be published.

    Raises UsageError when an archive is not the one that was built, CannotPublish when the zip
    cannot be pinned, and botocore's errors.
    """
    archives = (wanted.manifest["offload"] or {}).get("archives", ())
    in_s3 = [archive for archive in archives if archive["bucket"]]
    if not in_s3:
        return wanted, []
    published = []
    with errors_of(wanted):
        client = open_client("s3", wanted.account)
        for archive in in_s3:
            file = _read(manifest_path.parent / archive["archive"], archive)
            place = Place(archive["bucket"], archive["key"])
            reporter.step(f"{archive['name']} {archive['version']}: to {place.url}")
            done = put_file(client, file, place, dry_run=wanted.dry_run, reporter=reporter)
            published.append(done)
    versions = {
        archive["key"]: each.version for archive, each in zip(in_s3, published, strict=True)
    }
    known = {archive["key"]: archive["object_version"] for archive in in_s3}
    if wanted.dry_run or versions == known:
        return wanted, published
    pin_versions(wanted.artifact, manifest_path, versions)
    manifest = parse_json(manifest_path.read_text(encoding="utf-8"))
    return wanted._replace(manifest=manifest), published


def _read(path: Path, archive: dict[str, Any]) -> FileParts:
    try:
        file = read_parts(path)
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}", hint="lpack build") from error
    if file.sha256.hex() != archive["sha256"]:
        raise UsageError(f"`{path}` is not the archive that was built", hint="lpack build")
    return file
