"""Files into S3: not twice, in parts that a second run continues, held against S3's digests.

No state is kept here. What an object or an unfinished upload has is asked of S3 and compared by
digest, so that any machine can continue what another one began.
"""

from collections.abc import Mapping
from typing import Any

from packager.aws.clients import error_code
from packager.aws.file_parts import FileParts
from packager.aws.multipart import put_in_parts
from packager.aws.places import CONTENT_TYPE, Place
from packager.errors import CannotPublish
from packager.model.progress import Reporter
from packager.model.publication import Publication

_WHOLE_BYTES = 16 * 1024 * 1024
"""What is not larger goes in one request."""

_DENIED = frozenset({"AccessDenied", "403", "MethodNotAllowed", "NotImplemented"})


def put_file(
    client: Any,  # noqa: ANN401 -- boto3 has no types
    file: FileParts,
    place: Place,
    *,
    dry_run: bool,
    reporter: Reporter,
) -> Publication:
    """Bring `file` to `place` unless exactly its bytes are there.

    Raises CannotPublish when S3 has other bytes afterwards, and botocore's errors.
    """
    known = _attributes(client, place)
    if known is not None and file.is_stored_as(known):
        return _publication(file, place, "unchanged", known.get("VersionId"), sent_bytes=0)
    if dry_run:
        return _publication(file, place, "would-upload", None, sent_bytes=0)
    if file.size_bytes <= _WHOLE_BYTES:
        answer, sent_bytes = _put_whole(client, file, place), file.size_bytes
        _check(answer.get("ChecksumSHA256"), file.checksum, place)
    else:
        answer, sent_bytes = put_in_parts(client, file, place, reporter=reporter)
        _check(answer.get("ChecksumSHA256"), file.composite_checksum, place)
    return _publication(file, place, "uploaded", answer.get("VersionId"), sent_bytes=sent_bytes)


def _attributes(client: Any, place: Place) -> Mapping[str, Any] | None:  # noqa: ANN401 -- as above
    """Return what S3 tells of the object; None when it is not there or may not be looked at.

    GetObjectAttributes is asked first, because answers to HEAD have no text that says why.
    """
    try:
        wanted = ["ETag", "Checksum", "ObjectSize"]
        answer: Mapping[str, Any] = client.get_object_attributes(
            Bucket=place.bucket, Key=place.key, ObjectAttributes=wanted
        )
    except Exception as error:
        if error_code(error) in {"NoSuchKey", "404"}:
            return None
        if error_code(error) not in _DENIED:
            raise
        return _head(client, place)
    return answer


def _head(client: Any, place: Place) -> Mapping[str, Any] | None:  # noqa: ANN401 -- as above
    """Ask for the headers only, which takes one permission less."""
    try:
        head = client.head_object(Bucket=place.bucket, Key=place.key, ChecksumMode="ENABLED")
    except Exception as error:
        # Without s3:ListBucket, S3 says 403 of an object that is not there.
        if error_code(error) in {"403", "404"}:
            return None
        raise
    return {
        "ETag": head["ETag"],
        "ObjectSize": head["ContentLength"],
        "Checksum": {"ChecksumSHA256": head.get("ChecksumSHA256")},
        "VersionId": head.get("VersionId"),
    }


def _put_whole(client: Any, file: FileParts, place: Place) -> Mapping[str, Any]:  # noqa: ANN401
    answer: Mapping[str, Any] = client.put_object(
        Bucket=place.bucket,
        Key=place.key,
        Body=file.path.read_bytes(),
        ContentType=CONTENT_TYPE,
        ChecksumSHA256=file.checksum,
    )
    return answer


def _check(answered: str | None, expected: str, place: Place) -> None:
    """Hold S3's own digest of what it received against the file's, where S3 tells it."""
    if answered and answered.partition("-")[0] != expected:
        raise CannotPublish(
            f"`{place.url}` has other bytes than were sent: sha256 {answered}, not {expected}",
            hint="the same command again; if it stays so, something between here and S3 changes it",
        )


def _publication(
    file: FileParts, place: Place, outcome: str, version: str | None, *, sent_bytes: int
) -> Publication:
    return Publication(
        kind="object",
        place=place.url,
        outcome=outcome,
        version=version if version not in {None, "null"} else None,
        sha256=file.sha256.hex(),
        code_sha256=file.checksum,
        compressed_bytes=file.size_bytes,
        sent_bytes=sent_bytes,
    )
