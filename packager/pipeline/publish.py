"""A built image goes from its layout to a registry: base blobs are mounted where that is possible.

layout → what is missing → blobs, several at once → manifest → read back
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from packager.errors import CannotPublish
from packager.model.image import Descriptor, Reference, own_layers
from packager.model.progress import Reporter
from packager.parsing import parse_json
from packager.registry.access import Access
from packager.registry.layout import Layout, read_layout
from packager.registry.push import PushBlob, Pushed, is_there, push_blob, push_manifest
from packager.registry.reference import parse_reference
from packager.registry.session import Session

_UPLOADS_AT_ONCE = 4
_POLL_SECONDS = 0.1


class PublishedImage(NamedTuple):
    """Where an image is now; `reference` names its digest. `sent_bytes` are those of blobs.

    With `dry_run` nothing was sent, and blobs that are not there count as `uploaded`.
    """

    reference: Reference
    digest: str
    blobs: tuple[Pushed, ...]
    sent_bytes: int
    dry_run: bool

    def to_document(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "reference": self.reference.text,
            "digest": self.digest,
            "blobs": [each._asdict() for each in self.blobs],
            "sent_bytes": self.sent_bytes,
            "dry_run": self.dry_run,
        }


def publish_image(
    layout_folder: Path,
    target: Reference,
    *,
    access: Access,
    expected_digest: str | None,
    base: str | None,
    dry_run: bool,
    reporter: Reporter,
) -> PublishedImage:
    """Push the image of a layout to `target`; raises CannotPublish.

    `expected_digest` is what its lpack manifest says, `base` the reference its base came from.
    """
    layout = read_layout(layout_folder, architecture=None, tag=None, refusal=CannotPublish)
    digest = layout.resolved.digest
    if expected_digest not in {None, digest}:
        raise CannotPublish(
            f"`{layout_folder}` is not the image its manifest describes", hint="lpack build"
        )
    blobs = _blobs(layout, target, base)
    with closing(Session(target, access, pushing=True)) as session:
        if dry_run:
            pushed = [_looked_at(session, blob.descriptor) for blob in blobs]
        else:
            pushed = _push_all(session, blobs, reporter)
            resolved = layout.resolved
            push_manifest(session, resolved.content, resolved.media_type, tag=target.tag)
        return PublishedImage(
            reference=target._replace(digest=digest, scheme=""),
            digest=digest,
            blobs=tuple(pushed),
            sent_bytes=session.sent_bytes,
            dry_run=dry_run,
        )


def target_of(text: str) -> Reference:
    """Read the reference an image is to be pushed to; a digest in it has no meaning there."""
    reference = parse_reference(text)
    if reference.digest:
        raise CannotPublish(
            f"`{text}` names a digest, and the digest is what the image has",
            hint=text.partition("@")[0],
        )
    return reference._replace(tag=reference.tag or "latest")


def _blobs(layout: Layout, target: Reference, base: str | None) -> list[PushBlob]:
    """List the blobs; those of a base on the same registry can be mounted from there."""
    source = parse_reference(base) if base else None
    mountable = source is not None and source.host == target.host
    from_base = _base_digests(layout) if mountable and source is not None else frozenset()
    wanted = dict.fromkeys([*layout.layers, layout.config])
    return [
        PushBlob(
            each,
            layout.blob(each.digest),
            source.repository if source is not None and each.digest in from_base else None,
        )
        for each in wanted
    ]


def _base_digests(layout: Layout) -> frozenset[str]:
    """Return the layers that are the base's."""
    digests = [each.digest for each in layout.layers]
    try:
        config = parse_json(layout.blob(layout.config.digest).read_bytes())
        return frozenset(digests) - frozenset(own_layers(config, digests))
    except (OSError, ValueError, AttributeError):
        return frozenset()


def _looked_at(session: Session, blob: Descriptor) -> Pushed:
    there = is_there(session, blob.digest)
    return Pushed(blob.digest, blob.compressed_bytes, "there" if there else "uploaded")


def _push_all(session: Session, blobs: list[PushBlob], reporter: Reporter) -> list[Pushed]:
    """Push the first blob alone, so that the token is there for those beside each other."""
    heard: Callable[[int], None] = reporter.advance
    reporter.begin("uploading", sum(blob.descriptor.compressed_bytes for blob in blobs))
    try:
        first = [push_blob(session, blob, heard=heard) for blob in blobs[:1]]
        with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as threads:
            try:
                begun = [
                    threads.submit(push_blob, session, each, heard=heard) for each in blobs[1:]
                ]
                rest = [_awaited(each) for each in begun]
            except BaseException:
                # The pool waits for its threads, which have nothing more to do.
                session.abandon()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return [*first, *rest]
    finally:
        reporter.end()


def _awaited(upload: Future[Pushed]) -> Pushed:
    """Wait in small steps: an interrupt that comes just before a wait does not end it."""
    while not wait([upload], timeout=_POLL_SECONDS).done:
        pass
    return upload.result()
