"""Read the user's files, unchanged while they are read, and deflate them."""

import os
import zlib
from collections.abc import Callable, Iterator

from packager.errors import CannotBuild
from packager.model.canonical import DEFLATED, STORED, Record, local_header
from packager.model.deflating import STREAM_ABOVE_BYTES, deflated, deflated_stream
from packager.model.project import SourceFile

_CHUNK = 1024 * 1024


class _ChangedError(Exception):
    """The file was written to while it was read."""


def write_code_file(
    source: SourceFile, write: Callable[[bytes], None], *, offset: int, stamp: int
) -> Record:
    """Write local header and stream of `source` through `write` and return its record.

    Raises CannotBuild as `read_code_file`.
    """
    record, body = read_code_file(source, offset=offset)
    write(local_header(record, stamp))
    for chunk in body:
        write(chunk)
    return record


def read_code_file(source: SourceFile, *, offset: int) -> tuple[Record, list[bytes]]:
    """Return the record of `source` and its stream, in pieces.

    Raises CannotBuild when the file cannot be read, or changed while it was read: an artifact
    holds the old bytes or the new ones, never a mixture.
    """
    try:
        return _read(source, offset)
    except _ChangedError as error:
        raise CannotBuild(
            f"`{source.archive_name}` changed while it was read",
            hint="build again when nothing writes to it",
        ) from error
    except OSError as error:
        raise CannotBuild(
            f"cannot read `{source.archive_name}`: {error.strerror or error}"
        ) from error


def _read(source: SourceFile, offset: int) -> tuple[Record, list[bytes]]:
    descriptor = os.open(source.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        before = _identity(descriptor)
        if before != source.identity:
            raise _ChangedError
        if before[0] > STREAM_ABOVE_BYTES:
            crc, method, body = _deflate_large(descriptor)
        else:
            data = _read_all(descriptor, before[0])
            crc = zlib.crc32(data)
            stream = deflated(data)
            method = DEFLATED if len(stream) < len(data) else STORED
            body = [bytes(stream) if method == DEFLATED else data]
        if _identity(descriptor) != before:
            raise _ChangedError
    finally:
        os.close(descriptor)
    compressed = sum(map(len, body))
    name = source.archive_name.encode()
    return Record(name, method, crc, compressed, before[0], source.executable, offset), body


def _identity(descriptor: int) -> tuple[int, int, int, int, int]:
    status = os.fstat(descriptor)
    return (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )


def _read_all(descriptor: int, size: int) -> bytes:
    data = b""
    while chunk := os.read(descriptor, size - len(data) + 1):
        data += chunk
    if len(data) != size:
        raise _ChangedError
    return data


def _deflate_large(descriptor: int) -> tuple[int, int, list[bytes]]:
    crc = 0

    def chunks() -> Iterator[bytes]:
        nonlocal crc
        while chunk := os.read(descriptor, _CHUNK):
            crc = zlib.crc32(chunk, crc)
            yield chunk

    body = list(deflated_stream(chunks()))
    return crc, DEFLATED, body
