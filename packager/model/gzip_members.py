"""Members of a gzip file: a deflate stream of a wheel is one as it is. Pure.

Source: RFC 1952: a gzip file is one or more members, and what they hold is concatenated. The
header is constant: no name, no date, the operating system unknown (255).
"""

import struct
import zlib
from collections.abc import Iterator

from packager.model.canonical import DEFLATED, Record
from packager.model.deflating import deflated

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_TRAILER = struct.Struct("<II")
_STORED_BLOCK_BYTES = 0xFFFF


def small_member(data: bytes) -> bytes:
    """Return `data` as a member of its own."""
    return HEADER + deflated(data) + _trailer(zlib.crc32(data), len(data))


def spliced_member(record: Record, stream: bytes) -> Iterator[bytes]:
    """Yield the member that holds the file of `record`, whose bytes in the zip are `stream`."""
    yield HEADER
    if record.method == DEFLATED:
        yield stream
    else:
        yield from _stored(stream)
    yield _trailer(record.crc32, record.uncompressed_bytes)


def _stored(data: bytes) -> Iterator[bytes]:
    """Yield `data` as blocks that are not compressed (RFC 1951, 3.2.4)."""
    starts = range(0, len(data), _STORED_BLOCK_BYTES) or range(1)
    for start in starts:
        block = data[start : start + _STORED_BLOCK_BYTES]
        is_last = start + _STORED_BLOCK_BYTES >= len(data)
        yield struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF)
        yield block


def _trailer(crc32: int, uncompressed_bytes: int) -> bytes:
    return _TRAILER.pack(crc32, uncompressed_bytes & 0xFFFF_FFFF)
