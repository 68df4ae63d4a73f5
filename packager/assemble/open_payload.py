"""Payloads that are open: their files, under the names they get in an artifact."""

import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from packager.assemble.checked import PayloadDamagedError
from packager.model.canonical import (
    DEFLATED,
    END,
    LOCAL,
    NotCanonicalError,
    Record,
    read_directory,
)


class PayloadSource(NamedTuple):
    """Where a payload lies and what it must be; `owner` is `NAME VERSION`.

    Its files go below `folder` (empty, or ending in a slash), except those that `moved` sends to
    a place of their own.
    """

    owner: str
    key: str
    path: Path
    sha256: str
    body_bytes: int
    file_bytes: int
    entries: int
    folder: bytes = b""
    moved: Mapping[bytes, bytes] = MappingProxyType({})


class OpenPayload(NamedTuple):
    """A payload that is open: its records as they are in it, and under their names in the zip."""

    descriptor: int
    tail: bytes
    records: list[Record]
    placed: list[Record]


def open_payload(payload: PayloadSource) -> OpenPayload:
    """Open a payload and read its central directory; the caller closes the descriptor.

    Raises PayloadDamagedError.
    """
    try:
        descriptor = os.open(payload.path, os.O_RDONLY)
    except OSError as error:
        raise PayloadDamagedError(payload.key) from error
    try:
        tail = os.pread(descriptor, payload.file_bytes - payload.body_bytes + 1, payload.body_bytes)
        records = [
            record for record, _ in read_directory(tail[: -END.size], entries=payload.entries)
        ]
    except (NotCanonicalError, OSError) as error:
        os.close(descriptor)
        raise PayloadDamagedError(payload.key) from error
    return OpenPayload(descriptor, tail, records, _placed(payload, records))


def _placed(payload: PayloadSource, records: list[Record]) -> list[Record]:
    if not payload.folder:
        return records
    folder, moved = payload.folder, payload.moved
    return [
        record._replace(name=moved.get(record.name) or folder + record.name) for record in records
    ]


def inflate(source: OpenPayload, record: Record) -> bytes:
    """Return the contents of one of the placed records of `source`."""
    # Its name in the payload can be another one, hence of another length.
    name = next(each.name for each in source.records if each.offset == record.offset)
    offset = record.offset + LOCAL.size + len(name)
    data = os.pread(source.descriptor, record.compressed_bytes, offset)
    return zlib.decompress(data, -zlib.MAX_WBITS) if record.method == DEFLATED else data
