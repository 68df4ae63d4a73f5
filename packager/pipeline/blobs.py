"""The layers of an image: those of distributions from the store, the user's own made anew."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.code_file import read_code_file
from packager.assemble.image_blob import (
    BlobFile,
    DamagedStreamError,
    inflated,
    write_blob,
)
from packager.assemble.image_plan import grouped
from packager.assemble.merge import merge
from packager.assemble.open_payload import PayloadSource
from packager.assemble.output import Output
from packager.assemble.payload_streams import (
    damage_first,
    listed_in,
    mapped_payload,
    payload_records,
    stream_of,
)
from packager.assemble.zip_writer import YOUR_CODE
from packager.model.canonical import Record
from packager.model.deflating import encoder
from packager.model.image import ImageBlob, ImageContents
from packager.model.project import SourceFile
from packager.pipeline.memory import lasting_key_of
from packager.wheels.store import Store

_RECIPE = 2
_BOOTSTRAP = "lpack's bootstrap"


class Packing(NamedTuple):
    """How layers are written: the folder of the code, and the date of every file."""

    root: str
    modified_seconds: int


class Part(NamedTuple):
    """What one payload puts into the image; `listed_sha256` is of the bytes that say so."""

    source: PayloadSource
    records: tuple[Record, ...]
    listed_sha256: str


class MadeBlobs(NamedTuple):
    """Layers in their order, and the files of every owner."""

    blobs: tuple[ImageBlob, ...]
    contents: tuple[ImageContents, ...]


def parts_of(payloads: Sequence[PayloadSource], code: Sequence[SourceFile]) -> list[Part]:
    """Find what every payload ships; equal files of several owners ship once.

    Raises CannotBuild for collisions, PayloadDamagedError for a damaged store.
    """
    listed = [listed_in(payload) for payload in payloads]
    records = [each.records for each in listed]
    owners = [*(payload.owner or _BOOTSTRAP for payload in payloads), YOUR_CODE]
    own = [Record(f.archive_name.encode(), 0, -1, 0, -1, f.executable, 0) for f in code]
    with damage_first(payloads):
        skipped = merge(
            owners,
            [*records, own],
            same_bytes=lambda i, one, j, two: (
                _contents(payloads[i], one) == _contents(payloads[j], two)
            ),
        )
    return [
        Part(
            payload,
            tuple(record for record in each.records if record.name not in skip),
            each.sha256,
        )
        for payload, each, skip in zip(payloads, listed, skipped, strict=False)
    ]


def distribution_blobs(
    parts: Sequence[Part], packing: Packing, *, base_layers: int, store: Store
) -> MadeBlobs:
    """Return the layers of all distributions, made once for what is in them."""
    by_owner: dict[str, list[Part]] = {}
    for part in parts:
        if part.source.owner:
            by_owner.setdefault(part.source.owner, []).append(part)
    sizes = {
        owner: sum(part.source.body_bytes for part in owned) for owner, owned in by_owner.items()
    }
    blobs: list[ImageBlob] = []
    packed: dict[str, int] = {}
    for owners in grouped(sizes, base_layers=base_layers):
        chosen = [part for owner in owners for part in by_owner[owner]]
        document, path = _known_or_made(chosen, packing, store)
        blobs.append(_blob(document, owners, path))
        packed |= document["packed"]
    contents = (
        ImageContents.of(
            owner,
            tuple(record for part in owned for record in part.records),
            compressed_bytes=packed.get(owner, 0),
        )
        for owner, owned in by_owner.items()
    )
    return MadeBlobs(tuple(blobs), tuple(contents))


def code_blob(
    code: Sequence[SourceFile],
    parts: Sequence[Part],
    packing: Packing,
    output: Output,
) -> tuple[ImageBlob, ImageContents]:
    """Write the layer of the user's code, and of lpack's bootstrap when there is one.

    Raises CannotBuild for what cannot be read.
    """
    with ExitStack() as stack:
        files = [file for part in parts if not part.source.owner for file in _files(part, stack)]
        for source in code:
            record, pieces = read_code_file(source, offset=0)
            files.append(BlobFile("", record, partial(b"".join, pieces)))
        facts = write_blob(
            files, output.write, root=packing.root, modified_seconds=packing.modified_seconds
        )
    blob = _blob(facts._asdict(), ("",), output.path)
    records = tuple(sorted((file.record for file in files), key=lambda record: record.name))
    return blob, ImageContents.of("", records, compressed_bytes=facts.compressed_bytes)


def _known_or_made(
    parts: Sequence[Part], packing: Packing, store: Store
) -> tuple[Mapping[str, Any], Path]:
    key = _key(parts, packing)
    path = store.file("blobs", key, ".gz")
    known = store.read_document("blobs", key)
    if known is not None and path.is_file():
        for part, proven in zip(parts, known["listed"], strict=True):
            if part.listed_sha256 != proven:
                raise PayloadDamagedError(part.source.key)
        return known, path
    try:
        with (
            store.writing("blobs", key, ".gz", durable=False) as temporary,
            temporary.open("wb") as file,
            ExitStack() as stack,
        ):
            files = [each for part in parts for each in _files(part, stack)]
            facts = write_blob(
                files, file.write, root=packing.root, modified_seconds=packing.modified_seconds
            )
    except DamagedStreamError as error:
        # The digest was right a moment ago: the first of them is made again, and named.
        raise PayloadDamagedError(parts[0].source.key) from error
    # With these words `lpack cache verify` finds the file and its digest. What the payloads list
    # was proven while they were read; without reading them again, it has to be the same.
    document = {
        **facts._asdict(),
        "key": key,
        "file_bytes": facts.compressed_bytes,
        "listed": [part.listed_sha256 for part in parts],
    }
    store.write_document("blobs", key, document)
    return document, path


def forget_blob(blob: ImageBlob, store: Store) -> None:
    """Remove a layer from the store that turned out damaged; an absent one is fine."""
    store.discard("pulled" if blob.from_base else "blobs", Path(blob.path).stem, ".gz")


def _key(parts: Sequence[Part], packing: Packing) -> str:
    """Return what a layer is kept under: everything that decides its bytes."""
    rows = [
        [part.source.owner, part.source.key, part.source.sha256, _left_out(part)] for part in parts
    ]
    return lasting_key_of("blob", _RECIPE, encoder(), packing.root, packing.modified_seconds, rows)


def _left_out(part: Part) -> list[str]:
    if len(part.records) == part.source.entries:
        return []
    kept = {record.name for record in part.records}
    return [r.name.decode() for r in payload_records(part.source) if r.name not in kept]


def _files(part: Part, stack: ExitStack) -> Iterator[BlobFile]:
    mapped = stack.enter_context(mapped_payload(part.source))
    for record in part.records:
        yield BlobFile(part.source.owner, record, partial(stream_of, mapped, record))


def _contents(payload: PayloadSource, record: Record) -> bytes:
    with mapped_payload(payload) as mapped:
        return b"".join(inflated(record, stream_of(mapped, record)))


def _blob(document: Mapping[str, Any], owners: Sequence[str], path: Path) -> ImageBlob:
    return ImageBlob(
        digest=f"sha256:{document['sha256']}",
        diff_id=f"sha256:{document['diff_sha256']}",
        compressed_bytes=document["compressed_bytes"],
        uncompressed_bytes=document["uncompressed_bytes"],
        owners=tuple(owners),
        from_base=False,
        path=str(path),
    )
