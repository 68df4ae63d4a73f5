"""Proves that a stripped library loads as the original does: both are read, bytes are compared.

Shares no code with the stripper on purpose. Sources: the System V ABI for the file format, and
for what a loader relies on, glibc's `elf/dl-load.c`: it maps the PT_LOAD segments by pages and
refuses those whose offset and address disagree modulo p_align.
"""

import struct
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_LOAD = 1
_NULL, _NOBITS = 0, 8
_ALLOC = 0x2
_PAGE_BYTES = 4096
_CHUNK = 1 << 20

# Offsets move, and with them exactly these bytes of the two tables at the front.
_MOVED_IN_HEADER = ((32, 48), (60, 64))
_MOVED_IN_SEGMENT = (8, 16)


class _Segment(NamedTuple):
    type: int
    flags: int
    offset: int
    address: int
    physical_address: int
    file_bytes: int
    memory_bytes: int
    align: int

    @property
    def end(self) -> int:
        return self.offset + self.file_bytes


class _Section(NamedTuple):
    name: bytes
    type: int
    flags: int
    address: int
    offset: int
    section_bytes: int
    link: int
    info: int
    align: int
    entry_bytes: int

    @property
    def meaning(self) -> tuple[object, ...]:
        """Everything but the place in the file."""
        return (*self[:4], *self[5:])

    @property
    def end(self) -> int:
        return self.offset + (0 if self.type in (_NULL, _NOBITS) else self.section_bytes)


class _Elf:
    """One side of the comparison; struct.error when its tables lie outside of it."""

    def __init__(
        self, data: bytes | bytearray | memoryview, rest: Callable[[], None] = lambda: None
    ) -> None:
        self.rest = rest
        self.data = memoryview(data).cast("B")
        header: tuple[int, ...] = _HEADER.unpack_from(self.data)
        self.identity = (*header[:5], *header[7:11])
        self.segments_offset, sections_offset = header[5:7]
        segment_count, _, section_count, self.names_index = header[10:]
        self.segments = [
            _Segment(*_SEGMENT.unpack_from(self.data, self.segments_offset + i * _SEGMENT.size))
            for i in range(segment_count)
        ]
        entries = [
            _SECTION.unpack_from(self.data, sections_offset + i * _SECTION.size)
            for i in range(section_count)
        ]
        names_offset, names_bytes = entries[self.names_index][4:6]
        names = bytes(self.data[names_offset : names_offset + names_bytes])
        self.sections = [
            _Section(names[entry[0] :].partition(b"\0")[0], *entry[1:]) for entry in entries
        ]

    @property
    def loads(self) -> list[_Segment]:
        return [segment for segment in self.segments if segment.type == _LOAD]

    @property
    def segments_end(self) -> int:
        return self.segments_offset + len(self.segments) * _SEGMENT.size

    def home(self, start: int, end: int) -> tuple[int, int] | None:
        """Return which PT_LOAD holds the bytes, and how far inside."""
        for index, load in enumerate(self.loads):
            if load.offset <= start and end <= load.end:
                return index, start - load.offset
        return None

    def moved_fields(self) -> Iterator[tuple[int, int]]:
        """Yield, in order, the parts of the tables that may differ."""
        yield from _MOVED_IN_HEADER
        for index in range(len(self.segments)):
            at = self.segments_offset + index * _SEGMENT.size
            yield at + _MOVED_IN_SEGMENT[0], at + _MOVED_IN_SEGMENT[1]


def check_stripped(
    before: bytes | memoryview,
    after: bytes | bytearray | memoryview,
    *,
    rest: Callable[[], None] = lambda: None,
) -> list[str]:
    """Return everything by which the library `after` could behave unlike `before`; [] is the proof.

    `rest` is called now and then: whoever maps the files can let go of what was read. Each
    finding is a sentence without a subject's name. Never raises for odd bytes.
    """
    try:
        old, new = _Elf(before, rest), _Elf(after)
        return list(_findings(old, new))
    except (struct.error, IndexError) as error:
        return [f"one of the files cannot be read: {error}"]


def _findings(old: _Elf, new: _Elf) -> Iterator[str]:
    if len(new.data) > len(old.data):
        yield "it is larger than before"
    if old.identity != new.identity:
        yield "its header differs"
        return
    for index, (was, now) in enumerate(zip(old.segments, new.segments, strict=True)):
        yield from _segment_findings(old, new, index, (was, now))
    yield from _order_findings(old, new)
    if old.home(old.segments_offset, old.segments_end) != new.home(
        new.segments_offset, new.segments_end
    ):
        yield "its program headers are not loaded where they were"
    yield from _section_findings(old, new)


def _segment_findings(
    old: _Elf, new: _Elf, index: int, pair: tuple[_Segment, _Segment]
) -> Iterator[str]:
    was, now = pair
    label = f"segment {index}"
    if was._replace(offset=0) != now._replace(offset=0):
        yield f"{label} differs in more than its offset"
        return
    if now.end > len(new.data):
        yield f"{label} ends behind the end of the file"
        return
    page = max(was.align, _PAGE_BYTES)
    if was.type == _LOAD and (
        (now.offset - now.address) % max(now.align, 1) or (was.offset - now.offset) % page
    ):
        yield f"{label} is not aligned in the file as it is in memory"
    if not was.file_bytes:
        return
    if was.type != _LOAD and old.home(was.offset, was.end) != new.home(now.offset, now.end):
        yield f"{label} is not where it was in its loaded segment"
    if not _same_but_moved(old, new, was, now):
        yield f"{label} holds other bytes"


def _same_but_moved(old: _Elf, new: _Elf, was: _Segment, now: _Segment) -> bool:
    """Tell whether the segment's bytes are equal, but for the fields that hold offsets."""
    shift = was.offset - now.offset
    position = was.offset
    for start, end in sorted(old.moved_fields()):
        low, high = max(start, position), min(end, was.end)
        if low < high:
            if not _same(old, new, (position, low), shift):
                return False
            position = high
    return _same(old, new, (position, was.end), shift)


def _same(old: _Elf, new: _Elf, part: tuple[int, int], shift: int) -> bool:
    """Compare `part` of the old file with the same bytes `shift` further left in the new one."""
    for start in range(*part, _CHUNK):
        end = min(start + _CHUNK, part[1])
        # Copies compare far faster than views, which Python compares byte by byte.
        if bytes(old.data[start:end]) != bytes(new.data[start - shift : end - shift]):
            return False
        old.rest()
    return True


def _order_findings(old: _Elf, new: _Elf) -> Iterator[str]:
    """Yield segments that have come to share bytes of the file."""
    order = sorted(range(len(old.loads)), key=lambda index: old.loads[index].offset)
    for left, right in pairwise(order):
        gap_was = old.loads[right].offset - old.loads[left].end
        gap_now = new.loads[right].offset - new.loads[left].end
        if gap_now < min(gap_was, 0):
            yield f"loaded segments {left} and {right} overlap in the file"


def _section_findings(old: _Elf, new: _Elf) -> Iterator[str]:
    """Yield sections that are lost, changed, or point elsewhere; numbers must stay."""
    if len(new.sections) > len(old.sections):
        yield "it has more sections than before"
        return
    gone = {
        index
        for index, was in enumerate(old.sections)
        if index >= len(new.sections)
        or index == new.names_index
        or (new.sections[index].type == _NULL != was.type)
    }
    for index, was in enumerate(old.sections):
        if index in gone:
            if was.flags & _ALLOC:
                yield f"section {index} was loaded and is gone"
        elif index != old.names_index:
            yield from _kept_section_findings(old, new, index)
    for index, now in enumerate(new.sections):
        if now.link in gone:
            yield f"section {index} refers to one that is gone"


def _kept_section_findings(old: _Elf, new: _Elf, index: int) -> Iterator[str]:
    was, now = old.sections[index], new.sections[index]
    if was.meaning != now.meaning:
        yield f"section {index} differs in more than its offset"
    elif now.end > len(new.data) or not _same(
        old, new, (was.offset, was.end), was.offset - now.offset
    ):
        yield f"section {index} holds other bytes"
    elif was.flags & _ALLOC and old.home(was.offset, was.end) != new.home(now.offset, now.end):
        yield f"section {index} is not where it was in its loaded segment"
