"""An upload to S3 in parts, which a second run continues where the first one stopped.

Nothing about it is kept here: which parts are there is asked of S3, by digest.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from packager.aws.clients import is_aws_error
from packager.aws.file_parts import FileParts, Part, read_part
from packager.aws.places import CONTENT_TYPE, Place
from packager.model.progress import Reporter

_AT_ONCE = 4


def put_in_parts(
    client: Any,  # noqa: ANN401 -- boto3 has no types
    file: FileParts,
    place: Place,
    *,
    reporter: Reporter,
) -> tuple[Mapping[str, Any], int]:
    """Upload the parts that are missing and complete the upload.

    Returns S3's answer and the bytes that were sent. Raises botocore's errors; the parts that
    arrived stay, so that another call continues.
    """
    upload_id, done = _unfinished(client, file, place)
    if upload_id is None:
        begun = client.create_multipart_upload(
            Bucket=place.bucket, Key=place.key, ContentType=CONTENT_TYPE, ChecksumAlgorithm="SHA256"
        )
        upload_id = str(begun["UploadId"])
    missing = [part for part in file.parts if part.number not in done]
    if done:
        reporter.step(f"{len(done)} of {len(file.parts)} parts are there from an earlier run")
    reporter.begin(f"uploading to {place.url}", file.size_bytes)
    reporter.advance(file.size_bytes - sum(part.size_bytes for part in missing))
    try:
        for part, tag in _upload(client, file, place, upload_id, missing):
            done[part.number] = tag
            reporter.advance(part.size_bytes)
    except Exception as error:
        if is_aws_error(error):
            # What stays in the sentence when AWS's own words have no room for it.
            error.add_note(f"{len(done)} of {len(file.parts)} parts are there and stay")
        raise
    finally:
        reporter.end()
    listed = [
        {"PartNumber": part.number, "ETag": done[part.number], "ChecksumSHA256": part.checksum}
        for part in file.parts
    ]
    answer: Mapping[str, Any] = client.complete_multipart_upload(
        Bucket=place.bucket, Key=place.key, UploadId=upload_id, MultipartUpload={"Parts": listed}
    )
    return answer, sum(part.size_bytes for part in missing)


def _upload(
    client: Any,  # noqa: ANN401 -- as above
    file: FileParts,
    place: Place,
    upload_id: str,
    parts: list[Part],
) -> Iterator[tuple[Part, str]]:
    """Upload `parts`, several at once; yields each with its ETag as it arrives.

    The first failure ends it, without waiting for parts that have not begun.
    """

    def send(part: Part) -> str:
        answer = client.upload_part(
            Bucket=place.bucket,
            Key=place.key,
            UploadId=upload_id,
            PartNumber=part.number,
            Body=read_part(file.path, part),
            ChecksumSHA256=part.checksum,
        )
        return str(answer["ETag"])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting = {pool.submit(send, part): part for part in parts}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _unfinished(
    client: Any,  # noqa: ANN401 -- as above
    file: FileParts,
    place: Place,
) -> tuple[str | None, dict[int, str]]:
    """Find the unfinished upload to `place` that has most of this file, and the parts it has.

    Parts with other bytes are uploaded over; an upload that has nothing of the file is left alone.
    """
    best: tuple[str | None, dict[int, str]] = (None, {})
    pages = client.get_paginator("list_multipart_uploads")
    for page in pages.paginate(Bucket=place.bucket, Prefix=place.key):
        for upload in page.get("Uploads", ()):
            if upload["Key"] != place.key or upload.get("ChecksumAlgorithm") != "SHA256":
                continue
            done = _stored_parts(client, file, place, str(upload["UploadId"]))
            if len(done) > len(best[1]):
                best = (str(upload["UploadId"]), done)
    return best


def _stored_parts(
    client: Any,  # noqa: ANN401 -- as above
    file: FileParts,
    place: Place,
    upload_id: str,
) -> dict[int, str]:
    by_number = {part.number: part for part in file.parts}
    done: dict[int, str] = {}
    pages = client.get_paginator("list_parts")
    for page in pages.paginate(Bucket=place.bucket, Key=place.key, UploadId=upload_id):
        for listed in page.get("Parts", ()):
            part = by_number.get(int(listed["PartNumber"]))
            if part is not None and part.is_stored_as(listed):
                done[part.number] = str(listed["ETag"])
    return done
