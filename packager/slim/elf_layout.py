"""Reads how a 64-bit little-endian ELF file is laid out: header, segments, sections. Pure.

Source: the System V ABI, chapters 4 and 5 (ELF-64 object file format). Symbols, relocations and
code are never looked at: only the tables that say which byte belongs to what.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple, Self

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")

PT_LOAD = 1
PT_DYNAMIC = 2
SHT_NULL = 0
SHT_STRTAB = 3
SHT_DYNAMIC = 6
SHT_NOBITS = 8
SHF_ALLOC = 0x2
_SHF_INFO_LINK = 0x40
_RELOCATIONS = (4, 9)
"""SHT_RELA and SHT_REL: their sh_info is a section even without SHF_INFO_LINK."""

_ELF64_LITTLE_ENDIAN = b"\x7fELF\x02\x01\x01"
_ET_DYN = 3
_MACHINES = {62: "x86_64", 183: "aarch64"}
_MOST_ENTRIES = 1000
"""Libraries have a dozen segments and some forty sections; more would only cost time."""

_LARGEST_UNLOADED_ALIGN_BYTES = 4096
_LARGEST_NAMES_BYTES = 1 << 16
_NESTED_SEGMENTS = 4
"""How often segments may cover a byte; more would only cost time."""


class OddElf(ValueError):  # noqa: N818 -- named as the sentence it stands for
    """The file is not of a form that can be stripped without doubt; the text says why."""


class Header(NamedTuple):
    """The ELF header; offsets in bytes of the file."""

    ident: bytes
    type: int
    machine: int
    version: int
    entry: int
    segments_offset: int
    sections_offset: int
    flags: int
    header_bytes: int
    segment_bytes: int
    segment_count: int
    section_bytes: int
    section_count: int
    names_index: int


class Segment(NamedTuple):
    """One program header."""

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
        """Where its bytes end in the file."""
        return self.offset + self.file_bytes


class Section(NamedTuple):
    """One section header; `name` is its place in the table of names."""

    name: int
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
    def file_bytes(self) -> int:
        """How many bytes of the file it takes."""
        return 0 if self.type in (SHT_NULL, SHT_NOBITS) else self.section_bytes

    @property
    def end(self) -> int:
        """Where its bytes end in the file."""
        return self.offset + self.file_bytes

    @property
    def loaded(self) -> bool:
        """Whether it is part of the process image."""
        return bool(self.flags & SHF_ALLOC)

    @property
    def refers_to(self) -> tuple[int, ...]:
        """The indices of sections it cannot do without."""
        if self.flags & _SHF_INFO_LINK or self.type in _RELOCATIONS:
            return (self.link, self.info)
        return (self.link,)


class Layout(NamedTuple):
    """A file's tables; `names` are the sections' names, in their order."""

    header: Header
    segments: Sequence[Segment]
    sections: Sequence[Section]
    names: Sequence[str]

    @classmethod
    def read(cls, data: memoryview) -> Self:
        """Read the tables of `data`. Raises OddElf when it is no such library or damaged."""
        header = _read_header(data)
        segments = [
            Segment(*fields)
            for fields in SEGMENT.iter_unpack(
                _table(data, header.segments_offset, header.segment_count * SEGMENT.size)
            )
        ]
        sections = [
            Section(*fields)
            for fields in SECTION.iter_unpack(
                _table(data, header.sections_offset, header.section_count * SECTION.size)
            )
        ]
        _check_segments(segments, len(data))
        _check_sections(sections, len(data))
        _check_dynamic(segments, sections)
        return cls(header, segments, sections, _names(data, sections, header.names_index))


def _read_header(data: memoryview) -> Header:
    if len(data) < HEADER.size or bytes(data[: len(_ELF64_LITTLE_ENDIAN)]) != _ELF64_LITTLE_ENDIAN:
        raise OddElf("it is not a 64-bit little-endian ELF file")
    header = Header(*HEADER.unpack_from(data))
    if header.machine not in _MACHINES:
        raise OddElf("it is for another processor than x86_64 or aarch64")
    if header.type != _ET_DYN:
        raise OddElf("it is not a shared library")
    if header.section_count == 0:
        raise OddElf("it has no section headers")
    sizes = (header.header_bytes, header.segment_bytes, header.section_bytes)
    if sizes != (HEADER.size, SEGMENT.size, SECTION.size):
        raise OddElf("its tables have entries of unusual size")
    if max(header.segment_count, header.section_count) > _MOST_ENTRIES:
        raise OddElf("it has too many segments or sections")
    if not 0 < header.names_index < header.section_count:
        raise OddElf("its sections have no names")
    return header


def _table(data: memoryview, offset: int, table_bytes: int) -> memoryview:
    if offset < HEADER.size or offset + table_bytes > len(data):
        raise OddElf("a table of its header lies outside of the file")
    return data[offset : offset + table_bytes]


def _check_segments(segments: Sequence[Segment], file_bytes: int) -> None:
    """Refuse what is damaged, and alignments that the loader would refuse too."""
    if sum(segment.file_bytes for segment in segments) > _NESTED_SEGMENTS * file_bytes:
        raise OddElf("its segments overlap")
    for segment in segments:
        align = segment.align
        if segment.end > file_bytes:
            raise OddElf("a segment ends behind the end of the file")
        if align & (align - 1):
            raise OddElf("a segment's alignment is not a power of two")
        if segment.type == PT_LOAD and (segment.offset - segment.address) % max(align, 1):
            raise OddElf("a segment is not aligned as it says")


def _check_sections(sections: Sequence[Section], file_bytes: int) -> None:
    """Refuse what is damaged, and what would make writing the sections anew costly."""
    if sum(section.file_bytes for section in sections) > file_bytes:
        raise OddElf("its sections overlap")
    for section in sections:
        if section.file_bytes and section.end > file_bytes:
            raise OddElf("a section ends behind the end of the file")
        if section.align & (section.align - 1):
            raise OddElf("a section's alignment is not a power of two")
        if section.align > _LARGEST_UNLOADED_ALIGN_BYTES and not section.loaded:
            raise OddElf("a section that is not loaded is aligned as if it were")


def _check_dynamic(segments: Sequence[Segment], sections: Sequence[Section]) -> None:
    """Require that the dynamic segment is where its section is.

    Files that hold only debug information keep the headers of a library but not its contents.
    """
    loads = [segment for segment in segments if segment.type == PT_LOAD]
    found = [
        segment
        for segment in segments
        if segment.type == PT_DYNAMIC
        and segment.file_bytes
        and any(load.offset <= segment.offset and segment.end <= load.end for load in loads)
    ]
    offsets = [section.offset for section in sections if section.type == SHT_DYNAMIC]
    if len(found) != 1 or offsets != [found[0].offset]:
        raise OddElf("it has no dynamic segment that can be loaded")


def _names(data: memoryview, sections: Sequence[Section], index: int) -> list[str]:
    table = sections[index]
    if table.type != SHT_STRTAB or table.loaded or table.file_bytes > _LARGEST_NAMES_BYTES:
        raise OddElf("its sections have no names")
    text = bytes(data[table.offset : table.end])
    names = []
    for section in sections:
        end = text.find(b"\0", section.name)
        if section.name and end < 0:
            raise OddElf("a section's name lies outside of the table of names")
        names.append(text[section.name : max(end, 0)].decode("utf-8", "surrogateescape"))
    return names
