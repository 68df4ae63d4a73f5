"""Contents of a wheel's members: the first bytes, or all of them without filling the memory."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from packager.model.canonical import DEFLATED
from packager.model.deflating import inflated_pieces
from packager.model.wheel import WheelMember
from packager.slim.mapped import LARGE_BYTES, mapped_copy

HEAD_BYTES = 64
_ENOUGH = 4096
_CHUNK = 1024 * 1024


def file_part(descriptor: int, offset: int, count_bytes: int) -> Iterator[bytes]:
    """Yield a part of an open file in pieces; raises EOFError when the file ends before it does."""
    while count_bytes:
        chunk = os.pread(descriptor, min(count_bytes, _CHUNK), offset)
        if not chunk:
            raise EOFError
        offset += len(chunk)
        count_bytes -= len(chunk)
        yield chunk


def stored_chunks(source: int, member: WheelMember) -> Iterator[bytes]:
    """Yield the member's stored bytes from the open wheel `source`; raises OSError when cut."""
    try:
        yield from file_part(source, member.data_offset, member.compressed_bytes)
    except EOFError:
        raise OSError("the wheel in the store became shorter while it was read") from None


def inflated_head(source: int, member: WheelMember) -> bytes:
    """Return up to `HEAD_BYTES` of the member's contents."""
    stored = os.pread(source, min(member.compressed_bytes, _ENOUGH), member.data_offset)
    if member.method != DEFLATED:
        return stored[:HEAD_BYTES]
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(stored, HEAD_BYTES)


def contents(source: int, member: WheelMember, folder: Path) -> bytes | memoryview:
    """Return the member's contents; large ones are mapped from a nameless file in `folder`."""
    if member.uncompressed_bytes < LARGE_BYTES:
        return b"".join(_inflated(source, member))
    return mapped_copy(_inflated(source, member), folder)


def _inflated(source: int, member: WheelMember) -> Iterator[bytes]:
    if member.method != DEFLATED:
        yield from stored_chunks(source, member)
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    yield from inflated_pieces(inflater, stored_chunks(source, member))
