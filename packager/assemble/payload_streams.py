"""The streams of a payload, in any order: mapped, and held against its digest before use."""

import hashlib
import mmap
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.open_payload import PayloadSource
from packager.errors import CannotBuild
from packager.model.canonical import END, LOCAL, NotCanonicalError, Record, read_directory

_SEEN_BYTES = 1024 * 1024


class Listed(NamedTuple):
    """What a payload says that it holds, and the sha256 of the bytes that say so.

    Nobody has held these bytes against the payload's own digest yet.
    """

    records: tuple[Record, ...]
    sha256: str


def listed_in(payload: PayloadSource) -> Listed:
    """Read the central directory of a payload; raises PayloadDamagedError."""
    try:
        with payload.path.open("rb") as file:
            file.seek(payload.body_bytes)
            tail = file.read(payload.file_bytes - payload.body_bytes + 1)
        found = read_directory(tail[: -END.size], entries=payload.entries)
        return Listed(tuple(record for record, _ in found), hashlib.sha256(tail).hexdigest())
    except (OSError, NotCanonicalError) as error:
        raise PayloadDamagedError(payload.key) from error


def payload_records(payload: PayloadSource) -> tuple[Record, ...]:
    """Return what a payload says that it holds; raises PayloadDamagedError."""
    return listed_in(payload).records


@contextmanager
def mapped_payload(payload: PayloadSource) -> Iterator[mmap.mmap]:
    """Yield the bytes of a payload whose digest is right; raises PayloadDamagedError otherwise."""
    try:
        with payload.path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != payload.sha256:
                raise PayloadDamagedError(payload.key)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise PayloadDamagedError(payload.key) from error
    with mapped:
        yield mapped


@contextmanager
def damage_first(payloads: Sequence[PayloadSource]) -> Iterator[None]:
    """Refuse nothing because of what `payloads` list until their digests were found right.

    A damaged directory can look like anything. What the block raises passes when all are right;
    otherwise raises PayloadDamagedError.
    """
    try:
        yield
    except (CannotBuild, ValueError, zlib.error):
        for payload in payloads:
            with mapped_payload(payload):
                pass
        raise


def stream_of(mapped: mmap.mmap, record: Record) -> bytes:
    """Return the file's bytes in the payload, deflated or stored."""
    start = record.offset + LOCAL.size + len(record.name)
    stream = mapped[start : start + record.compressed_bytes]
    if len(stream) > _SEEN_BYTES and sys.platform == "linux":
        # Give back the memory of what was read.
        mapped.madvise(mmap.MADV_DONTNEED)
    return stream
