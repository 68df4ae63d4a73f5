"""What a reference means for one architecture, and its blobs, each proven by its digest.

Source: OCI distribution specification 1.1, pulling manifests and blobs.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from packager.model.image import (
    INDEXES,
    MANIFESTS,
    Descriptor,
)
from packager.parsing import parse_json
from packager.registry.manifests import Resolved, choose
from packager.registry.session import Interrupted, Session

_LARGEST_MANIFEST_BYTES: Final = 4 << 20
_Result = TypeVar("_Result")
_ACCEPT: Final = {"Accept": ", ".join(sorted(MANIFESTS | INDEXES))}


def resolve(session: Session, name: str, architecture: str) -> Resolved:
    """Return the manifest that `name` (a tag or a digest) means on `architecture`.

    Raises the session's refusal when there is none, or when bytes and digest differ.
    """
    found = fetch_manifest(session, name)
    if found.media_type not in INDEXES:
        return found
    chosen = choose(found.manifest, architecture, refuse=session.refuse)
    return fetch_manifest(session, chosen)._replace(index_digest=found.digest)


def fetch_manifest(session: Session, name: str) -> Resolved:
    """Return the manifest or index `name`, its digest taken here and compared."""
    content, headers = _whole(session, name)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    wanted = name if name.startswith("sha256:") else headers.get("Docker-Content-Digest") or digest
    if digest != wanted:
        raise session.refuse(f"the manifest `{name}` should be {wanted} and is {digest}")
    try:
        parsed = parse_json(content)
        media_type = str(parsed.get("mediaType") or headers.get("Content-Type", ""))
    except (ValueError, AttributeError):
        raise session.refuse(f"`{name}` is no manifest") from None
    media_type = media_type.partition(";")[0].strip()
    if media_type not in MANIFESTS | INDEXES:
        raise session.refuse(
            f"`{name}` is of the type `{media_type[:100]}`, which Lambda does not take",
            hint="use an image of Docker schema 2 or OCI 1.0",
        )
    return Resolved(digest, media_type, content)


def _whole(session: Session, name: str) -> tuple[bytes, Mapping[str, str]]:
    def once(until: float) -> tuple[bytes, Mapping[str, str]]:
        url = session.url(f"manifests/{name}")
        with closing(session.request("GET", url, accept=(200,), headers=_ACCEPT)) as response:
            chunks = session.chunks(response, limit_bytes=_LARGEST_MANIFEST_BYTES, until=until)
            content = b"".join(chunks)
            if len(content) > _LARGEST_MANIFEST_BYTES:
                raise session.refuse(f"the manifest `{name}` is larger than 4 MiB")
            return content, response.headers

    return _patiently(session, once)


def fetch_blob(
    session: Session,
    blob: Descriptor,
    destination: Path,
    *,
    heard: Callable[[int], None] = lambda _: None,
) -> None:
    """Write a blob to `destination`; raises the refusal unless length and digest are right."""

    def once(until: float) -> None:
        url = session.url(f"blobs/{blob.digest}")
        digest, received = hashlib.sha256(), 0
        with (
            closing(session.request("GET", url, accept=(200,))) as response,
            destination.open("wb") as file,
        ):
            limit = blob.compressed_bytes
            for chunk in session.chunks(response, limit_bytes=limit, until=until):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                heard(len(chunk))
        found = "sha256:" + digest.hexdigest()
        if received < blob.compressed_bytes:
            reason = f"{blob.digest} ended after {received:,} of {blob.compressed_bytes:,} bytes"
            raise Interrupted(session.refuse(reason, hint="try again"))
        if found != blob.digest:
            reason = f"the blob {blob.digest} arrives as {found}"
            hint = "pull it again; if it stays so, somebody changes it on the way"
            raise session.refuse(reason, hint=hint)

    _patiently(session, once)


def _patiently(session: Session, once: Callable[[float], _Result]) -> _Result:
    """Read a whole body, again from its beginning when it breaks off, and all within a deadline."""
    last = session.access.policy.attempts
    until = session.until()
    for attempt in range(1, last + 1):
        try:
            return once(until)
        except Interrupted as failure:
            if attempt == last:
                raise failure.error from None
            session.wait(attempt, failure.after_seconds)
    raise AssertionError("unreachable: the last attempt returns or raises")
