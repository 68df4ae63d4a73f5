"""What the shared store says, held against what it may say.

Its documents carry digests, so that damage is noticed before. These checks are for documents that
somebody else wrote: none of them may stop a build.
"""

from typing import Any

from packager.model.offload import SUFFIXES, Offloaded
from packager.model.payload import Dependencies, Payload, payload_from_document
from packager.model.shared_store import Blob, WrongValueError
from packager.shared.values import is_digest

_LARGEST_BYTES = 4 << 30

Entry = tuple[str, str, str]
"""Kind, key and suffix of a file in the store."""


def blob_of(payload: Payload) -> Blob:
    """Return the bytes of a payload."""
    return Blob(payload.sha256, payload.file_bytes)


def entry_of(payload: Payload) -> Entry:
    """Return where a payload lies in the store."""
    return ("payloads", payload.key, ".zip")


def entries_of(dependencies: Dependencies) -> list[tuple[Blob, Entry]]:
    """Return all bytes that the dependencies ship, and where they lie in the store."""
    found: list[tuple[Blob, Entry]] = []
    for distribution in dependencies.shipped:
        found += [(blob_of(payload), entry_of(payload)) for payload in distribution.payloads]
        archive = distribution.offloaded
        if archive is not None:
            place = ("offload", archive.key, SUFFIXES[archive.codec])
            found.append((_blob_of_archive(archive), place))
    return found


def checked_dependencies(value: dict[str, Any]) -> Dependencies:
    """Return the dependencies of an answer; raises WrongValueError, or what parsing raises."""
    dependencies = Dependencies.from_document(value)
    for distribution in dependencies.shipped:
        for payload in distribution.payloads:
            _check_payload(payload)
        archive = distribution.offloaded
        if archive is not None:
            _check(_blob_of_archive(archive), archive.key)
    return dependencies


def checked_payload(value: dict[str, Any]) -> Payload:
    """Return the payload of a document; raises WrongValueError, or what parsing raises."""
    payload = payload_from_document(value)
    _check_payload(payload)
    return payload


def _check_payload(payload: Payload) -> None:
    _check(blob_of(payload), payload.key)
    figures = (payload.body_bytes, payload.entries, payload.compressed_bytes,
               payload.uncompressed_bytes)  # fmt: skip
    if not all(type(each) is int and each >= 0 for each in (*figures, payload.file_bytes)):
        raise WrongValueError("its figures cannot be")


def _check(blob: Blob, key: object) -> None:
    if not (is_digest(blob.sha256) and is_digest(key) and 0 <= blob.bytes <= _LARGEST_BYTES):
        raise WrongValueError("it names no bytes that could be")


def _blob_of_archive(archive: Offloaded) -> Blob:
    return Blob(archive.sha256, archive.compressed_bytes)
