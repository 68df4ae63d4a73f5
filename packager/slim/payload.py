"""Write a verified wheel's payload: its own deflate streams under canonical headers.

Nothing of the wheel's headers is copied and nothing is recompressed, except members that the
wheel stored without compression and a RECORD that has to be written anew.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from packager.errors import WheelRefused
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
from packager.model.deflating import STREAM_ABOVE_BYTES, deflated
from packager.model.payload import Payload
from packager.model.record import RecordEntry, render_record
from packager.model.wheel import AdmittedWheel, WheelMember
from packager.slim.layout import Layout, lay_out

_CHUNK = 1024 * 1024

# Part of every payload's key: raise it when equal wheels would give other payload bytes.
RECIPE = 1


def write_payload(
    wheel_path: Path, wheel: AdmittedWheel, destination: Path, *, key: str
) -> Payload:
    """Write the payload of the admitted wheel at `wheel_path` to `destination`.

    Returns its facts; `key` is its place in the store. Raises WheelRefused when its files cannot
    be laid out, OSError when the disk fails.
    """
    layout = lay_out(wheel)
    writer = _PayloadWriter(destination)
    source = os.open(wheel_path, os.O_RDONLY)
    try:
        for name, member in layout.shipped:
            if layout.rewrite_record and name == f"{wheel.dist_info}/RECORD":
                writer.add_bytes(name, _record_of(wheel, layout), executable=False)
            elif _wants_deflating(member):
                data = os.pread(source, member.uncompressed_bytes, member.data_offset)
                writer.add_bytes(name, data, executable=member.executable)
            else:
                writer.add_stream(name, member, _read(source, member))
        return writer.finish(key=key, dropped=layout.dropped)
    except OverflowError as error:
        raise WheelRefused(
            wheel.filename, "it is larger than a zip without zip64 can be"
        ) from error
    finally:
        os.close(source)
        writer.close()


def _wants_deflating(member: WheelMember) -> bool:
    return member.method == STORED and 0 < member.uncompressed_bytes <= STREAM_ABOVE_BYTES


def _read(source: int, member: WheelMember) -> Iterator[bytes]:
    offset, left = member.data_offset, member.compressed_bytes
    while left:
        chunk = os.pread(source, min(left, _CHUNK), offset)
        if not chunk:
            raise OSError("the wheel in the store became shorter while it was read")
        offset += len(chunk)
        left -= len(chunk)
        yield chunk


def _record_of(wheel: AdmittedWheel, layout: Layout) -> bytes:
    """RECORD of what ships, as an installer writes it (PyPA: recording installed projects)."""
    own = f"{wheel.dist_info}/RECORD"
    return render_record(
        {
            name: RecordEntry("", None)
            if name == own
            else RecordEntry(wheel.record[member.name], member.uncompressed_bytes)
            for name, member in layout.shipped
        }
    )


class _PayloadWriter:
    """Writes one canonical zip front to back and takes its digest on the way."""

    def __init__(self, destination: Path) -> None:
        self._file = destination.open("wb")
        self._digest = hashlib.sha256()
        self._offset = 0
        self._records: list[Record] = []

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._offset += len(data)

    def add_stream(self, name: str, member: WheelMember, chunks: Iterator[bytes]) -> None:
        """Splice the member's stored bytes as they are."""
        self._begin(
            Record(
                name.encode(),
                member.method,
                member.crc32,
                member.compressed_bytes,
                member.uncompressed_bytes,
                member.executable,
                self._offset,
            )
        )
        for chunk in chunks:
            self._write(chunk)

    def add_bytes(self, name: str, data: bytes, *, executable: bool) -> None:
        """Deflate `data`, unless that makes it larger."""
        stream = deflated(data)
        method = DEFLATED if len(stream) < len(data) else STORED
        body = stream if method == DEFLATED else data
        record = Record(
            name.encode(), method, zlib.crc32(data), len(body), len(data), executable, self._offset
        )
        self._begin(record)
        self._write(body)

    def _begin(self, record: Record) -> None:
        if self._offset + record.contribution_bytes > MAXIMUM_BYTES:
            raise OverflowError
        self._records.append(record)
        self._write(local_header(record, EPOCH_STAMP))

    def finish(self, *, key: str, dropped: tuple[tuple[str, str], ...]) -> Payload:
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
        )

    def close(self) -> None:
        self._file.close()
