"""Write one canonical zip front to back: the form of every payload in the store."""

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from packager.model.canonical import (
    DEFLATED,
    EPOCH_STAMP,
    MAXIMUM_BYTES,
    STORED,
    Record,
    central_record,
    end_record,
    local_header,
)
from packager.model.deflating import deflated
from packager.model.payload import Payload
from packager.model.prune import Dropped
from packager.slim.spool import Spooled

_CHUNK = 1024 * 1024


class Stream(NamedTuple):
    """A file's stored bytes and what its headers say of them; sizes in bytes."""

    method: int
    crc32: int
    uncompressed_bytes: int
    data: bytes | bytearray | Spooled


class PayloadWriter:
    """Writes the files in the order they are added, and takes the digest on the way.

    Raises OverflowError when the payload would not fit a zip without zip64.
    """

    def __init__(self, destination: Path) -> None:
        """Open `destination` for writing; whoever made it renames it afterwards."""
        self._file = destination.open("wb")
        self._digest = hashlib.sha256()
        self._offset = 0
        self._records: list[Record] = []

    def add_chunks(self, name: str, facts: Record, chunks: Iterator[bytes | bytearray]) -> None:
        """Splice stored bytes as they are; `facts` tells of them, its name and offset do not."""
        self._begin(facts._replace(name=name.encode(), offset=self._offset))
        for chunk in chunks:
            self._write(chunk)

    def add_stream(self, name: str, stream: Stream, *, executable: bool) -> None:
        """Add a stream that is in memory or in a spool."""
        facts = Record(
            b"",
            stream.method,
            stream.crc32,
            len(stream.data),
            stream.uncompressed_bytes,
            executable,
            0,
        )
        data = stream.data
        chunks = data.chunks() if isinstance(data, Spooled) else iter((data,))
        self.add_chunks(name, facts, chunks)

    def add_bytes(self, name: str, data: bytes, *, executable: bool = False) -> None:
        """Deflate `data` and add it, stored when that is smaller."""
        self.add_stream(name, smallest(data, deflated(data)), executable=executable)

    def _begin(self, record: Record) -> None:
        if self._offset + record.contribution_bytes > MAXIMUM_BYTES:
            raise OverflowError
        self._records.append(record)
        self._write(local_header(record, EPOCH_STAMP))

    def _write(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._offset += len(data)

    def finish(
        self,
        *,
        key: str,
        dropped: tuple[Dropped, ...] = (),
        stripped: tuple[tuple[str, int], ...] = (),
    ) -> Payload:
        """Write the central directory and return the facts."""
        body_bytes = self._offset
        directory = b"".join(central_record(record, EPOCH_STAMP) for record in self._records)
        self._write(directory)
        self._write(
            end_record(
                entries=len(self._records),
                directory_bytes=len(directory),
                directory_offset=body_bytes,
            )
        )
        self._file.flush()
        return Payload(
            key=key,
            sha256=self._digest.hexdigest(),
            body_bytes=body_bytes,
            file_bytes=self._offset,
            entries=len(self._records),
            compressed_bytes=body_bytes + len(directory),
            uncompressed_bytes=sum(record.uncompressed_bytes for record in self._records),
            dropped=dropped,
            stripped=stripped,
        )

    def close(self) -> None:
        """Close the file, finished or not."""
        self._file.close()


def stored_file(file: BinaryIO) -> Stream:
    """Return all that the open `file` holds, to be stored as it is; it must stay open till then."""
    crc = length = 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        crc = zlib.crc32(chunk, crc)
        length += len(chunk)
    return Stream(STORED, crc, length, Spooled(file.fileno(), 0, length))


def smallest(
    data: bytes | bytearray | memoryview, stream: bytes | bytearray, *, crc32: int | None = None
) -> Stream:
    """Return `data` as the deflate `stream` made of it, or stored when that is smaller."""
    crc = zlib.crc32(data) if crc32 is None else crc32
    if len(stream) < len(data):
        return Stream(DEFLATED, crc, len(data), stream)
    return Stream(STORED, crc, len(data), bytes(data))
