"""A built zip or layer goes to AWS, by the way its size allows, and AWS's errors become ours.

digests → what is there already → direct, or through S3 → AWS's digest held against the manifest
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from packager.aws.clients import Account, error_code, is_aws_error, open_client
from packager.aws.file_parts import FileParts, read_parts
from packager.aws.functions import CodeSource, check_fits, configuration_of, update_code
from packager.aws.layers import latest_version, publish_version
from packager.aws.objects import put_file
from packager.aws.places import parse_place
from packager.errors import CannotPublish, UsageError
from packager.explain.known_errors import recognize
from packager.model.progress import Reporter
from packager.model.publication import Publication
from packager.model.redaction import redact_text
from packager.report.text import mib

__all__ = ["Account", "Wanted", "errors_of", "publish_layer", "publish_zip"]

_DIRECT_BYTES = 52_428_800
"""A direct upload has to be smaller (Lambda quotas; recorded 2025-11-25)."""


class Wanted(NamedTuple):
    """What is to be published and how.

    `artifact` is the zip of `manifest`. `function_name` or `layer_name` is AWS's name of what
    gets it, or None. `place` is a place in S3 as the user wrote it, or None. `through_s3` leaves
    the direct upload out.
    """

    artifact: Path
    manifest: Mapping[str, Any]
    account: Account
    function_name: str | None = None
    layer_name: str | None = None
    place: str | None = None
    through_s3: bool = False
    dry_run: bool = False


def publish_zip(wanted: Wanted, *, reporter: Reporter) -> tuple[Publication, ...]:
    """Bring a zip to S3, into a function, or both; returns what became of each.

    Raises CannotPublish for what AWS or the network did, UsageError for a way that is not there.
    """
    file = _read(wanted)
    published: list[Publication] = []
    with errors_of(wanted):
        function = wanted.function_name
        source = _source(wanted, file, published, reporter, what=f"function `{function}`")
        if function is not None:
            published.append(_into_function(wanted, function, file, source))
    return tuple(published)


def publish_layer(wanted: Wanted, *, reporter: Reporter) -> tuple[Publication, ...]:
    """Publish a new version of a layer unless the newest one has the same bytes.

    Raises as `publish_zip`.
    """
    file = _read(wanted)
    name = str(wanted.layer_name)
    published: list[Publication] = []
    with errors_of(wanted):
        client = open_client("lambda", wanted.account)
        known = latest_version(client, name)
        if known is not None and known["Content"]["CodeSha256"] == file.checksum:
            return (_layer(file, known, "unchanged"),)
        source = _source(wanted, file, published, reporter, what=f"layer `{name}`")
        if wanted.dry_run:
            published.append(_publication("layer", f"layer {name}", file, "would-upload"))
            return tuple(published)
        target = wanted.manifest["target"]
        answer = publish_version(
            client,
            name,
            source,
            runtime=target["runtime"],
            architecture=target["architecture"],
            code_sha256=file.checksum,
        )
        published.append(_layer(file, answer, "uploaded", sent=source.path is not None))
    return tuple(published)


def _read(wanted: Wanted) -> FileParts:
    """Read the artifact's digests, and refuse one that is not the manifest's."""
    try:
        file = read_parts(wanted.artifact)
    except OSError as error:
        message = f"cannot read `{wanted.artifact}`: {error.strerror}"
        raise UsageError(message, hint="lpack build") from error
    if file.sha256.hex() != wanted.manifest["artifact"]["sha256"]:
        raise UsageError(
            f"`{wanted.artifact}` is not the zip its manifest describes", hint="lpack build"
        )
    return file


def _source(
    wanted: Wanted,
    file: FileParts,
    published: list[Publication],
    reporter: Reporter,
    *,
    what: str,
) -> CodeSource:
    """Choose the way by size, say which, and bring the file to S3 where that is the way."""
    size = f"`{wanted.artifact}` has {mib(file.size_bytes)}"
    limit = mib(_DIRECT_BYTES)
    receiver = wanted.function_name or wanted.layer_name
    direct = file.size_bytes < _DIRECT_BYTES and not wanted.through_s3
    if receiver is not None and direct:
        reporter.step(f"{size}, below {limit}: straight into the {what}")
        return CodeSource(path=wanted.artifact)
    if wanted.place is None:
        why = 'its settings say `upload = "s3"`' if wanted.through_s3 else f"not below {limit}"
        raise UsageError(
            f"{size} ({file.size_bytes:,} bytes), {why}: it goes through S3",
            hint=f"--s3 s3://BUCKET/{wanted.artifact.name}",
        )
    place = parse_place(wanted.place, file_name=_file_name(wanted.artifact, file))
    if receiver is not None:
        reporter.step(f"{size}: to {place.url}, from there into the {what}")
    client = open_client("s3", wanted.account)
    stored = put_file(client, file, place, dry_run=wanted.dry_run, reporter=reporter)
    published.append(stored)
    return CodeSource(place=place, version=stored.version)


def _file_name(artifact: Path, file: FileParts) -> str:
    """Name an object by its content: what is deployed never changes below a function."""
    return f"{artifact.stem}-{file.sha256.hex()[:16]}{artifact.suffix}"


def _into_function(wanted: Wanted, name: str, file: FileParts, source: CodeSource) -> Publication:
    client = open_client("lambda", wanted.account)
    configuration = configuration_of(client, name)
    target = wanted.manifest["target"]
    check_fits(configuration, runtime=target["runtime"], architecture=target["architecture"])
    arn = str(configuration["FunctionArn"])
    if configuration["CodeSha256"] == file.checksum:
        return _publication("function", arn, file, "unchanged")
    if wanted.dry_run:
        return _publication("function", arn, file, "would-upload")
    update_code(client, name, source, code_sha256=file.checksum)
    sent = file.size_bytes if source.path is not None else 0
    return _publication("function", arn, file, "uploaded", sent_bytes=sent)


def _layer(
    file: FileParts, answer: Mapping[str, Any], outcome: str, *, sent: bool = False
) -> Publication:
    arn, version = str(answer["LayerVersionArn"]), str(answer["Version"])
    published = _publication("layer", arn, file, outcome, sent_bytes=file.size_bytes if sent else 0)
    return published._replace(version=version)


def _publication(
    kind: str, place: str, file: FileParts, outcome: str, *, sent_bytes: int = 0
) -> Publication:
    return Publication(
        kind=kind,
        place=place,
        outcome=outcome,
        version=None,
        sha256=file.sha256.hex(),
        code_sha256=file.checksum,
        compressed_bytes=file.size_bytes,
        sent_bytes=sent_bytes,
    )


@contextmanager
def errors_of(wanted: Wanted) -> Iterator[None]:
    """Turn botocore's errors into one line with a hint, AWS's own words below."""
    try:
        yield
    except CannotPublish:
        raise
    except Exception as error:
        if not is_aws_error(error):
            raise
        raise _refusal(wanted, error) from error


def _refusal(wanted: Wanted, error: Exception) -> CannotPublish:
    said = redact_text(" ".join(str(error).split()))
    known = recognize(f"{error_code(error)} {said}")
    meaning = known[0].meaning if known else said
    details = [] if not known else [f"AWS: {said}"]
    details += getattr(error, "__notes__", [])
    hint = known[0].advice[0] if known else f'lpack explain "{error_code(error) or said}"'
    return CannotPublish(
        f"cannot publish `{wanted.artifact}`: {meaning}", details=details, hint=hint
    )
