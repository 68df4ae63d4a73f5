"""Contents of a wheel's members: the first bytes, or all of them without filling the memory."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from packager.model.canonical import DEFLATED
from packager.model.wheel import WheelMember
from packager.slim.mapped import LARGE_BYTES, mapped_copy

HEAD_BYTES = 64
_ENOUGH = 4096
_CHUNK = 1024 * 1024


def stored_chunks(source: int, member: WheelMember) -> Iterator[bytes]:
    """Yield the member's stored bytes from the open wheel `source`; raises OSError when cut."""
    offset, left = member.data_offset, member.compressed_bytes
    while left:
        chunk = os.pread(source, min(left, _CHUNK), offset)
        if not chunk:
            raise OSError("the wheel in the store became shorter while it was read")
        offset += len(chunk)
        left -= len(chunk)
        yield chunk


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
    for chunk in stored_chunks(source, member):
        data = inflater.decompress(chunk, _CHUNK)
        while data:
            yield data
            data = inflater.decompress(inflater.unconsumed_tail, _CHUNK)
