"""Splice payloads and the user's code into one Lambda zip."""

import os
import zlib
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from packager.assemble.checked import PayloadCheck
from packager.assemble.code_file import write_code_file
from packager.assemble.merge import merge
from packager.assemble.open_payload import OpenPayload, PayloadSource, inflate, open_payload
from packager.assemble.output import Output, atomic_output
from packager.assemble.prefix_notes import PrefixNotes
from packager.assemble.reread import check_headers
from packager.errors import CannotBuild
from packager.model.artifact import Contents, ZipArtifact
from packager.model.canonical import (
    EPOCH_STAMP,
    LOCAL,
    MAXIMUM_BYTES,
    MAXIMUM_ENTRIES,
    Record,
    central_record,
    end_record,
    local_header,
)
from packager.model.project import SourceFile

YOUR_CODE = "your code"


def write_zip(
    destination: Path,
    payloads: Sequence[PayloadSource],
    code: Sequence[SourceFile],
    *,
    stamp: int,
    durable: bool = True,
) -> ZipArtifact:
    """Write the zip: payloads in the order given, then the user's files in theirs.

    `stamp` is the MS-DOS date of every entry; `durable` that of `atomic_output`. Raises
    CannotBuild for collisions, sizes beyond the zip format and what the disk refuses,
    PayloadDamagedError for a damaged store; then nothing is left behind and an existing file
    stays.
    """
    with ExitStack() as stack:
        opened = []
        for payload in payloads:
            opened.append(open_payload(payload))
            stack.callback(_close, opened[-1].descriptor)
        skipped = _plan(payloads, opened, code)
        with atomic_output(destination, durable=durable) as output:
            noted = _write_payloads(payloads, opened, skipped, output, stamp)
            output.mark()
            body_bytes = output.offset
            records = [
                write_code_file(source, output.write, offset=output.offset, stamp=stamp)
                for source in code
            ]
            directory = b"".join([central_record(record, stamp) for record in records])
            directory = noted.directory() + directory
            finish_zip(output, directory, entries=noted.entries + len(records))
            contents = noted.contents()
            _own(contents, "", records)
            written = [record for owned in contents for record in owned.records]
            output.flush()
            check_headers(output.path, written, stamp=stamp, shown=destination, directory=directory)
            before, sha256 = output.hexdigests()
            return ZipArtifact(
                path=str(destination),
                sha256=sha256,
                compressed_bytes=output.offset,
                uncompressed_bytes=sum(owned.uncompressed_bytes for owned in contents),
                stamp=stamp,
                contents=tuple(contents),
                prefix=noted.prefix(before, body_bytes) if stamp == EPOCH_STAMP else None,
            )


def _close(descriptor: int) -> None:
    """Close a file that was only read: nothing is lost when that fails."""
    with suppress(OSError):
        os.close(descriptor)


def _write_payloads(
    payloads: Sequence[PayloadSource],
    opened: Sequence[OpenPayload],
    skipped: Sequence[set[bytes]],
    output: Output,
    stamp: int,
) -> PrefixNotes:
    """Copy the payloads, holding their digests against what was admitted."""
    noted = PrefixNotes()
    with PayloadCheck() as check:
        for payload, source, skip in zip(payloads, opened, skipped, strict=False):
            if skip or payload.folder or stamp != EPOCH_STAMP:
                records = _splice_each(payload, source, output, check, skip, stamp)
            else:
                records = _splice_whole(payload, source, output, check)
            check.end(payload.key, payload.sha256, tail=source.tail)
            noted.add(payload.owner, records, source.records, stamp)
    return noted


def _own(contents: list[Contents], owner: str, records: list[Record]) -> None:
    """Add what `owner` has in the zip; a payload before it can be of the same owner."""
    if contents and contents[-1].owner == owner:
        records = [*contents.pop().records, *records]
    contents.append(Contents(owner=owner, records=tuple(records)))


def _plan(
    payloads: Sequence[PayloadSource], opened: Sequence[OpenPayload], code: Sequence[SourceFile]
) -> list[set[bytes]]:
    """Find what each owner leaves out, and refuse collisions and sizes beyond the format."""
    try:
        skipped = _merge(payloads, opened, code)
        _refuse_too_much(opened, skipped, code)
    except (CannotBuild, ValueError, zlib.error):
        # A damaged directory can look like anything: nobody is blamed before that is out.
        with PayloadCheck() as check:
            for payload, source in zip(payloads, opened, strict=True):
                for _ in check.read(payload.key, source.descriptor, payload.body_bytes, offset=0):
                    pass
                check.end(payload.key, payload.sha256, tail=source.tail)
        raise
    return skipped


def _merge(
    payloads: Sequence[PayloadSource], opened: Sequence[OpenPayload], code: Sequence[SourceFile]
) -> list[set[bytes]]:
    """Find collisions. The user's files have no checksum yet: any equal name collides."""
    owners = [*(payload.owner or "lpack's bootstrap" for payload in payloads), YOUR_CODE]
    own = [Record(f.archive_name.encode(), 0, -1, 0, -1, f.executable, 0) for f in code]
    return merge(
        owners,
        [*(source.placed for source in opened), own],
        same_bytes=lambda i, one, j, two: inflate(opened[i], one) == inflate(opened[j], two),
    )


def _refuse_too_much(
    opened: Sequence[OpenPayload], skipped: Sequence[set[bytes]], code: Sequence[SourceFile]
) -> None:
    """Refuse what cannot fit into the format before a byte is written."""
    kept = [
        record
        for source, skip in zip(opened, skipped, strict=False)
        for record in source.placed
        if record.name not in skip
    ]
    spliced = sum(record.contribution_bytes for record in kept)
    # Nobody knows yet how far the user's files compress; one above the limit fits in no way.
    largest = max((source.identity[0] for source in code), default=0)
    check_zip_limits(len(kept) + len(code), max(spliced, largest))


def check_zip_limits(entries: int, zip_bytes: int) -> None:
    """Raise CannotBuild when a zip without zip64 cannot hold so much (APPNOTE 4.4.1.4)."""
    if entries > MAXIMUM_ENTRIES or zip_bytes > MAXIMUM_BYTES:
        raise CannotBuild(
            f"the zip would hold {entries:,} files and at least {zip_bytes:,} bytes, "
            f"more than a zip without zip64 can ({MAXIMUM_ENTRIES:,} files, 4 GiB)",
            hint="leave files out with `exclude`, or ship a container image",
        )


def _splice_whole(
    payload: PayloadSource, source: OpenPayload, output: Output, check: PayloadCheck
) -> list[Record]:
    """Copy the payload's body as it is; returns its records with their new offsets."""
    base = output.offset
    for chunk in check.read(payload.key, source.descriptor, payload.body_bytes, offset=0):
        output.write(chunk)
    return [
        Record(name, method, crc, packed, size, executable, base + offset)
        for name, method, crc, packed, size, executable, offset in source.records
    ]


def _splice_each(
    payload: PayloadSource,
    source: OpenPayload,
    output: Output,
    check: PayloadCheck,
    skip: set[bytes],
    stamp: int,
) -> list[Record]:
    """Copy file by file, without those in `skip`, under headers with the date `stamp`."""
    records: list[Record] = []
    for record, placed in zip(source.records, source.placed, strict=True):
        keep = placed.name not in skip
        if keep:
            moved = placed._replace(offset=output.offset)
            records.append(moved)
            output.write(local_header(moved, stamp))
        header_bytes = LOCAL.size + len(record.name)
        offset, left = record.offset, header_bytes + record.compressed_bytes
        for chunk in check.read(payload.key, source.descriptor, left, offset=offset):
            stream = chunk[header_bytes:]
            header_bytes = max(header_bytes - len(chunk), 0)
            if keep:
                output.write(stream)
    return records


def finish_zip(output: Output, directory: bytes, *, entries: int) -> None:
    """Write the central `directory` of `entries` files and the end record."""
    offset = output.offset
    check_zip_limits(entries, offset + len(directory))
    output.write(directory)
    output.write(
        end_record(entries=entries, directory_bytes=len(directory), directory_offset=offset)
    )
