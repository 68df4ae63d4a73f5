"""Hold a zip against its manifest by reading everything: digest, headers, every stream."""

import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packager.errors import CannotBuild, UsageError
from packager.model.canonical import (
    DEFLATED,
    END,
    LOCAL,
    NotCanonicalError,
    Record,
    local_header,
    read_directory,
    read_end_record,
)
from packager.model.deflating import inflated_pieces
from packager.verify.figures import check_figures, zip_owners

_CHUNK = 1024 * 1024


def check_artifact(path: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Recompute every claim of `manifest` from the bytes of `path`; return what is wrong.

    Memory stays at a few MiB whatever the artifact's size. Raises CannotBuild when the file
    cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise CannotBuild(f"cannot read `{path}`: {error.strerror}") from error
    faults: list[str] = []
    try:
        faults.extend(check_figures(manifest))
        faults.extend(_check_digest(descriptor, manifest))
        faults.extend(_check_files(descriptor, manifest))
    except NotCanonicalError as error:
        faults.append(str(error))
    except OSError as error:
        raise CannotBuild(f"cannot read `{path}`: {error.strerror}") from error
    finally:
        os.close(descriptor)
    return faults


def require_digest(path: Path, sha256: str, *, otherwise: str) -> None:
    """Raise UsageError, saying what it is `otherwise`, unless the file at `path` has `sha256`."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}", hint="lpack build") from error
    if found != sha256:
        raise UsageError(f"`{path}` {otherwise}", hint="lpack build")


def _check_digest(descriptor: int, manifest: Mapping[str, Any]) -> Iterator[str]:
    claimed = manifest["artifact"]
    size = os.fstat(descriptor).st_size
    if size != claimed["compressed_bytes"]:
        yield f"the zip has {size:,} bytes, the manifest says {claimed['compressed_bytes']:,}"
    digest = hashlib.sha256()
    for chunk in _read(descriptor, 0, size):
        digest.update(chunk)
    if digest.hexdigest() != claimed["sha256"]:
        yield f"the zip's sha256 is {digest.hexdigest()}, the manifest says {claimed['sha256']}"


def _check_files(descriptor: int, manifest: Mapping[str, Any]) -> Iterator[str]:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, END.size, max(size - END.size, 0))
    entries, directory_bytes, offset = read_end_record(tail, size)
    directory = os.pread(descriptor, directory_bytes, offset)
    claimed = [row for owner in zip_owners(manifest) for row in owner["files"]]
    if entries != len(claimed):
        yield f"the zip has {entries} files, the manifest lists {len(claimed)}"
        return
    stamp = manifest["artifact"]["stamp"]
    position = total = 0
    for (record, dated), row in zip(
        read_directory(directory, entries=entries), claimed, strict=True
    ):
        yield from _check_record(record, dated, row, stamp=stamp, position=position)
        yield from _check_stream(descriptor, record, stamp)
        position += LOCAL.size + len(record.name) + record.compressed_bytes
        total += record.uncompressed_bytes
    if position != offset:
        yield "there are bytes between the last file and the central directory"
    if total != manifest["artifact"]["uncompressed_bytes"]:
        yield f"the files have {total:,} bytes, the manifest says otherwise"


def _check_record(
    record: Record, dated: int, row: list[Any], *, stamp: int, position: int
) -> Iterator[str]:
    found = [
        record.name.decode(errors="backslashreplace"),
        record.uncompressed_bytes,
        record.compressed_bytes,
        record.crc32,
        record.mode,
    ]
    if found != row:
        yield f"`{row[0]}` is {row[1:]} in the manifest, and {found} in the zip"
    if dated != stamp:
        yield f"`{row[0]}` has another date than the manifest says"
    if record.offset != position:
        yield f"`{row[0]}` does not follow the file before it"


def _check_stream(descriptor: int, record: Record, stamp: int) -> Iterator[str]:
    name = record.name.decode(errors="backslashreplace")
    header = local_header(record, stamp)
    if os.pread(descriptor, len(header), record.offset) != header:
        yield f"the local header of `{name}` differs from the central directory"
        return
    start = record.offset + len(header)
    crc = size = 0
    try:
        for chunk in _inflate(_read(descriptor, start, record.compressed_bytes), record.method):
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
    except (zlib.error, EOFError) as error:
        yield f"`{name}` does not inflate: {error}"
        return
    if (crc, size) != (record.crc32, record.uncompressed_bytes):
        yield f"`{name}` inflates to other bytes than its headers say"


def _read(descriptor: int, offset: int, amount: int) -> Iterator[bytes]:
    while amount:
        chunk = os.pread(descriptor, min(amount, _CHUNK), offset)
        if not chunk:
            raise EOFError("it is cut")
        offset += len(chunk)
        amount -= len(chunk)
        yield chunk


def _inflate(chunks: Iterator[bytes], method: int) -> Iterator[bytes]:
    if method != DEFLATED:
        yield from chunks
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    yield from inflated_pieces(inflater, chunks)
    if not inflater.eof or inflater.unused_data:
        raise EOFError("the stream does not end where its headers say")
