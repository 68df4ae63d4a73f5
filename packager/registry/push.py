"""Blobs and manifests go to a registry: only what is not there, and each is looked at afterwards.

Source: OCI distribution specification 1.1, pushing blobs: HEAD, mount from another repository,
upload in one piece or in chunks, resume after a break where the registry says it stopped.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from packager.model.image import Descriptor
from packager.registry.pull import fetch_manifest
from packager.registry.session import Interrupted, Session

if TYPE_CHECKING:
    from requests import Response

CHUNK_BYTES: Final = 32 << 20
"""Blobs above this go up in pieces of this length, so that a break costs one piece at most."""

_READ_BYTES: Final = 1 << 20
_RANGE: Final = re.compile(r"(?:bytes=)?0-(\d+)")

Outcome = Literal["there", "mounted", "uploaded"]


class PushBlob(NamedTuple):
    """A blob on disk; `mount_from` is a repository of the same registry that has it."""

    descriptor: Descriptor
    path: Path
    mount_from: str | None = None


class Pushed(NamedTuple):
    """What became of one blob."""

    digest: str
    compressed_bytes: int
    outcome: Outcome


def is_there(session: Session, digest: str, *, kind: str = "blobs") -> bool:
    """Ask whether the repository has a blob or manifest; the digest it answers must be right."""
    response = session.request(
        "HEAD",
        session.url(f"{kind}/{digest}"),
        accept=(200, 404),
        headers=MANIFEST_TYPES if kind == "manifests" else None,
    )
    response.close()
    answered = response.headers.get("Docker-Content-Digest", digest)
    if response.status_code == 200 and answered != digest:
        raise session.refuse(f"it calls {digest} by another digest, {answered[:80]}")
    return response.status_code == 200


MANIFEST_TYPES: Final = {
    "Accept": "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
}


def push_blob(
    session: Session, blob: PushBlob, *, heard: Callable[[int], None] = lambda _: None
) -> Pushed:
    """Bring a blob into the repository unless it is there; afterwards it is asked for again.

    Raises the session's refusal.
    """
    digest, length = blob.descriptor.digest, blob.descriptor.compressed_bytes
    if is_there(session, digest):
        heard(length)
        return Pushed(digest, length, "there")
    _check_file(session, blob)
    location = _begin(session, blob)
    if location is None:
        heard(length)
    else:
        _upload(session, blob, location, heard)
    if not is_there(session, digest):
        raise session.refuse(
            f"the registry took {digest} and does not have it afterwards", hint="push again"
        )
    return Pushed(digest, length, "mounted" if location is None else "uploaded")


def push_manifest(session: Session, content: bytes, media_type: str, *, tag: str | None) -> str:
    """Put a manifest under `tag` (its digest without one), read it back and return its digest."""
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    name = tag or digest
    session.request(
        "PUT",
        session.url(f"manifests/{name}"),
        accept=(200, 201, 202),
        headers={"Content-Type": media_type},
        body=lambda: content,
    ).close()
    found = fetch_manifest(session, name)
    if found.digest != digest:
        raise session.refuse(
            f"`{name}` is {found.digest} after {digest} was pushed",
            hint="somebody else pushed at the same time: push again",
        )
    return digest


def _check_file(session: Session, blob: PushBlob) -> None:
    """Hold the file against its digest before anything is sent."""
    try:
        with blob.path.open("rb") as file:
            found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise session.refuse(
            f"cannot read `{blob.path}`: {error.strerror}", hint="lpack build"
        ) from error
    if found != blob.descriptor.digest:
        raise session.refuse(f"`{blob.path.name}` has other bytes than its name says",
                             hint="lpack build")  # fmt: skip


def _begin(session: Session, blob: PushBlob) -> str | None:
    """Open an upload and return its URL; None when the blob could be mounted instead."""
    scopes: tuple[str, ...] = ()
    query = ""
    source = blob.mount_from
    if source is not None:
        query = f"?mount={blob.descriptor.digest}&from={source}"
        own = session.scope(session.reference.repository, push=True)
        scopes = (own, session.scope(source, push=False))
    url = session.url(f"blobs/uploads/{query}")
    empty = {"Content-Length": "0"}
    response = session.request("POST", url, accept=(201, 202), headers=empty, scopes=scopes)
    response.close()
    if response.status_code == 201:
        return None
    return _location(session, url, response)


def _location(session: Session, url: str, response: "Response") -> str:
    location = response.headers.get("Location")
    if not location:
        raise session.refuse("it does not say where the upload goes on", hint="try again later")
    return session.target_of(url, location)


def _upload(session: Session, blob: PushBlob, location: str, heard: Callable[[int], None]) -> None:
    """Send the blob to `location`, going on where it stopped after every break."""
    length = blob.descriptor.compressed_bytes
    offset = shown = failures = 0
    while True:
        try:
            if length - offset <= CHUNK_BYTES:
                _finish(session, blob, location, offset)
                heard(length - shown)
                return
            location = _send_chunk(session, blob, location, offset)
            offset += CHUNK_BYTES
        except Interrupted as failure:
            failures += 1
            if failures >= session.access.policy.attempts:
                raise failure.error from None
            session.wait(failures, failure.after_seconds)
            location, offset, is_done = _resume(session, blob, location)
            if is_done:
                heard(length - shown)
                return
        if offset > shown:
            heard(offset - shown)
            shown = offset


def _send_chunk(session: Session, blob: PushBlob, location: str, offset: int) -> str:
    last = offset + CHUNK_BYTES - 1
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Range": f"{offset}-{last}",
        "Content-Length": str(CHUNK_BYTES),
    }
    response = session.request(
        "PATCH",
        location,
        accept=(202, 404),
        headers=headers,
        body=lambda: _Part(session, blob.path, offset, CHUNK_BYTES),
        attempts=1,
    )
    response.close()
    _check_known(session, response)
    return _location(session, location, response)


def _finish(session: Session, blob: PushBlob, location: str, offset: int) -> None:
    """Send the last piece, or the only one, with the digest of the whole."""
    left = blob.descriptor.compressed_bytes - offset
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(left)}
    if offset:
        headers["Content-Range"] = f"{offset}-{offset + left - 1}"
    separator = "&" if "?" in location else "?"
    response = session.request(
        "PUT",
        f"{location}{separator}digest={blob.descriptor.digest}",
        accept=(201, 204, 404),
        headers=headers,
        body=lambda: _Part(session, blob.path, offset, left),
        attempts=1,
    )
    response.close()
    _check_known(session, response)


def _check_known(session: Session, response: "Response") -> None:
    """Turn a forgotten upload, after a restart of the registry, into one that broke off."""
    if response.status_code == 404:
        raise Interrupted(session.refuse("it forgets uploads", hint="try again later"))


def _resume(session: Session, blob: PushBlob, location: str) -> tuple[str, int, bool]:
    """Ask how far the upload came: its URL, the next byte, and whether all is there already.

    A registry that has forgotten the upload gets a new one.
    """
    response = session.request("GET", location, accept=(200, 204, 400, 404, 405, 416))
    response.close()
    if response.status_code == 204:
        reached = _RANGE.fullmatch(response.headers.get("Range", "0-0"))
        end = int(reached[1]) if reached else 0
        # A registry that has nothing answers 0-0, as one that has a single byte does.
        offset = end + 1 if end else 0
        if offset <= blob.descriptor.compressed_bytes:
            has_location = bool(response.headers.get("Location"))
            next_url = _location(session, location, response) if has_location else location
            return next_url, offset, False
    if is_there(session, blob.descriptor.digest):
        return location, 0, True
    anew = _begin(session, blob)
    return anew or location, 0, anew is None


class _Part:
    """A piece of a file as requests wants a body: with a length, read bit by bit, counted.

    It is no file object: requests asks those for their position and takes the length from it.
    """

    def __init__(self, session: Session, path: Path, offset: int, length: int) -> None:
        self._session = session
        self._path = path
        self._offset = offset
        self._left = length
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def read(self, amount: int = -1) -> bytes:
        """Return the next bytes; no file stays open, whatever becomes of the request."""
        wanted = min(self._left if amount < 0 else amount, self._left, _READ_BYTES)
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(wanted)
        self._offset += len(data)
        self._left -= len(data)
        self._session.count(len(data))
        return data
