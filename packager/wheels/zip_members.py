"""Reads a member of a strictly read zip: local header, data descriptor, and the whole stream.

Memory stays bounded whatever a member's size: at most one input and one output chunk at a time.
"""

import os
import struct
import zlib
from collections.abc import Iterator

from packager.wheels.names import show
from packager.wheels.zip_end import SENTINEL_32, MalformedZip, read_exactly
from packager.wheels.zip_reader import (
    FLAG_DESCRIPTOR,
    LOCAL_HEADER_BYTES,
    STORED,
    Entry,
    check_extras,
    resolve_zip64,
)

_INPUT_BYTES = 256 * 2**10
_OUTPUT_BYTES = 2**20
_LOCAL = struct.Struct("<4s5H3I2H")
_DESCRIPTORS = {False: struct.Struct("<3I"), True: struct.Struct("<I2Q")}


def locate_stream(descriptor: int, entry: Entry) -> tuple[int, bytes]:
    """Hold a member's local header and data descriptor against its central record.

    Returns the offset of the stream in the file, and the stream's first bytes as far as they
    were read along.

    Raises:
        MalformedZip: they disagree, or the member leaves a gap before the next one.

    """
    head = read_exactly(descriptor, min(entry.extent_bytes, _INPUT_BYTES), entry.header_offset)
    signature, _, flags, method, _, _, crc32, compressed, uncompressed, name_bytes, extra_bytes = (
        _LOCAL.unpack_from(head)
    )
    start = LOCAL_HEADER_BYTES + name_bytes + extra_bytes
    stop = start + entry.compressed_bytes
    if signature != b"PK\x03\x04" or stop > entry.extent_bytes:
        raise MalformedZip(f"{show(entry.name)} has no local header where the directory says")
    if head[LOCAL_HEADER_BYTES : LOCAL_HEADER_BYTES + name_bytes] != entry.raw_name:
        raise MalformedZip(f"{show(entry.name)} has another name in its local header")
    if (flags, method) != (entry.flags, entry.method):
        raise MalformedZip(f"{show(entry.name)} has other flags or method in its local header")
    extra = head[start - extra_bytes : start]
    zip64 = check_extras(extra, entry.raw_name, entry.name)
    sizes: tuple[int, ...] = (uncompressed, compressed)
    # Python's zipfile with force_zip64 (as protobuf's wheels are built) repeats the sizes in a
    # zip64 record that no sentinel asks for; it is harmless when it says the same.
    if zip64 != struct.pack("<2Q", *sizes) or SENTINEL_32 in sizes:
        sizes = resolve_zip64(sizes, zip64, entry.name)
    _check_facts(entry, (crc32, sizes[1], sizes[0]), extended=zip64 is not None)
    if flags & FLAG_DESCRIPTOR:
        _check_descriptor(descriptor, entry, stop, extended=zip64 is not None)
    elif stop != entry.extent_bytes:
        raise MalformedZip(f"a gap follows {show(entry.name)}")
    return entry.header_offset + start, head[start:stop]


def stream_member(descriptor: int, entry: Entry, data_offset: int, first: bytes) -> Iterator[bytes]:
    """Yield a member's uncompressed bytes in chunks and verify the stream when it ends.

    `data_offset` and `first` are what `locate_stream` returned. Nothing may be trusted before
    the iterator is exhausted.

    Raises:
        MalformedZip: the stream is damaged, ends elsewhere, or has another length or CRC-32.

    """
    chunks = _read_chunks(descriptor, entry, data_offset, first)
    if entry.method != STORED:
        chunks = _inflate(chunks, entry)
    crc32 = 0
    for chunk in chunks:
        crc32 = zlib.crc32(chunk, crc32)
        yield chunk
    if crc32 != entry.crc32:
        raise MalformedZip(f"{show(entry.name)} has another CRC-32 than stated")


def _check_facts(entry: Entry, facts: tuple[int, int, int], *, extended: bool) -> None:
    """Compare CRC and sizes; zeros are allowed where a data descriptor states them later."""
    expected = (entry.crc32, entry.compressed_bytes, entry.uncompressed_bytes)
    later = entry.flags & FLAG_DESCRIPTOR
    if all(
        fact == want or (later and fact == 0) for fact, want in zip(facts, expected, strict=True)
    ):
        return
    what = "zip64 record" if extended else "local header"
    raise MalformedZip(f"{show(entry.name)} has another CRC-32 or size in its {what}")


def _check_descriptor(descriptor: int, entry: Entry, stop: int, *, extended: bool) -> None:
    """Read the data descriptor (APPNOTE 4.3.9): the signature is optional, 64 bits with zip64."""
    layout = _DESCRIPTORS[extended]
    data = read_exactly(descriptor, entry.extent_bytes - stop, entry.header_offset + stop)
    if len(data) == layout.size + 4 and data.startswith(b"PK\x07\x08"):
        data = data[4:]
    if len(data) != layout.size:
        raise MalformedZip(f"no data descriptor, or a gap, follows {show(entry.name)}")
    if layout.unpack(data) != (entry.crc32, entry.compressed_bytes, entry.uncompressed_bytes):
        raise MalformedZip(f"the data descriptor of {show(entry.name)} disagrees")


def _read_chunks(descriptor: int, entry: Entry, offset: int, first: bytes) -> Iterator[bytes]:
    if first:
        yield first
    done = len(first)
    while done < entry.compressed_bytes:
        chunk = os.pread(
            descriptor, min(_INPUT_BYTES, entry.compressed_bytes - done), offset + done
        )
        if not chunk:
            raise MalformedZip("the file ends too early")
        done += len(chunk)
        yield chunk


def _inflate(chunks: Iterator[bytes], entry: Entry) -> Iterator[bytes]:
    """Inflate exactly one raw deflate stream that uses all of its input.

    One byte more than stated is asked for, so that a stream that goes on is noticed and never
    unpacked. The ends of the input and of the stream must fall together.
    """
    inflater = zlib.decompressobj(-15)
    remaining = entry.uncompressed_bytes
    for chunk in chunks:
        data = chunk
        while data:
            if inflater.eof:
                raise MalformedZip(f"bytes follow the stream of {show(entry.name)}")
            output = _step(inflater, data, remaining, entry)
            remaining -= len(output)
            data = inflater.unconsumed_tail or inflater.unused_data
            yield output
    # A full output chunk can leave inflated bytes inside zlib when the input is used up.
    while not inflater.eof and (output := _step(inflater, b"", remaining, entry)):
        remaining -= len(output)
        yield output
    if not inflater.eof:
        raise MalformedZip(f"the stream of {show(entry.name)} does not end")
    if remaining:
        raise MalformedZip(f"{show(entry.name)} unpacks to less than it states")


def _step(inflater: "zlib._Decompress", data: bytes, remaining: int, entry: Entry) -> bytes:
    try:
        output = inflater.decompress(data, min(_OUTPUT_BYTES, remaining + 1))
    except zlib.error:
        raise MalformedZip(f"the stream of {show(entry.name)} is damaged") from None
    if len(output) > remaining:
        raise MalformedZip(f"{show(entry.name)} unpacks to more than it states")
    return output
