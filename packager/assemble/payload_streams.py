"""The streams of a payload, in any order: mapped, and held against its digest before use."""

import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.open_payload import PayloadSource
from packager.model.canonical import END, LOCAL, NotCanonicalError, Record, read_directory


def payload_records(payload: PayloadSource) -> tuple[Record, ...]:
    """Read the central directory of a payload; raises PayloadDamagedError."""
    try:
        with payload.path.open("rb") as file:
            file.seek(payload.body_bytes)
            directory = file.read(payload.file_bytes - payload.body_bytes + 1)[: -END.size]
        return tuple(record for record, _ in read_directory(directory, entries=payload.entries))
    except (OSError, NotCanonicalError) as error:
        raise PayloadDamagedError(payload.key) from error


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


def stream_of(mapped: mmap.mmap, record: Record) -> bytes:
    """Return the file's bytes in the payload, deflated or stored."""
    start = record.offset + LOCAL.size + len(record.name)
    return mapped[start : start + record.compressed_bytes]
