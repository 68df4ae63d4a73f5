"""Builds small ELF libraries, laid out as linkers and patchelf leave them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")
IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)
X86_64, AARCH64 = 62, 183
ENTRY_BYTES = {2: 24, 4: 24, 6: 16}
PROGBITS, SYMTAB, STRTAB, RELA, DYNAMIC, NOTE, NOBITS = 1, 2, 3, 4, 6, 7, 8


@dataclass(frozen=True, kw_only=True)
class Load:
    """A loaded segment with one section of its name that fills it."""

    name: str
    content: bytes
    align: int = 0x1000
    extra_memory: int = 0
    kind: int = PROGBITS


@dataclass(frozen=True, kw_only=True)
class Unloaded:
    """A section that is not loaded; `links_to` and `info` name other sections."""

    name: str
    content: bytes
    kind: int = PROGBITS
    align: int = 1
    links_to: str = ""


@dataclass(frozen=True)
class Raw:
    """Bytes that no table describes."""

    content: bytes


@dataclass(frozen=True)
class SectionHeaders:
    """Where the section headers lie; at the end when it is left out."""


@dataclass(frozen=True)
class OldSectionHeaders:
    """A section header table that is used no more, as patchelf leaves it."""


Item = Load | Unloaded | Raw | SectionHeaders | OldSectionHeaders
DYNAMIC_LOAD = Load(name=".dynamic", content=bytes(32), kind=DYNAMIC)
NAMES = Unloaded(name=".shstrtab", content=b"", kind=STRTAB)


@dataclass
class _Build:
    machine: int
    items: Sequence[Item]
    out: bytearray = field(default_factory=bytearray)
    address: int = 0
    segments: list[tuple[int, ...]] = field(default_factory=list)
    sections: list[list[int]] = field(default_factory=lambda: [[0] * 10])
    headers_at: int = 0

    def names(self) -> tuple[bytes, dict[str, int]]:
        table, places = b"\0", {"": 0}
        for item in self.items:
            if isinstance(item, Load | Unloaded):
                places[item.name] = len(table)
                table += item.name.encode() + b"\0"
        return table, places

    def index(self, name: str) -> int:
        named = [item.name for item in self.items if isinstance(item, Load | Unloaded)]
        return named.index(name) + 1 if name else 0

    def pad(self, align: int) -> None:
        self.out += bytes(-len(self.out) % align)


def build_library(*items: Item, machine: int = X86_64) -> bytes:
    """Lay out `items` in this order behind the header; `.shstrtab` and `.dynamic` are needed.

    The first `Load` covers the ELF header and the program headers too.
    """
    build = _Build(machine=machine, items=items)
    loads = [item for item in items if isinstance(item, Load)]
    segment_count = len(loads) + sum(item.kind == DYNAMIC for item in loads) + 1
    build.out += bytes(HEADER.size + segment_count * SEGMENT.size)
    table, places = build.names()
    for item in items:
        _place(build, item, table, places)
    section_count = len(build.sections)
    if not build.headers_at:
        build.pad(8)
        build.headers_at = len(build.out)
        build.out += bytes(section_count * SECTION.size)
    build.segments.append((0x6474E551, 6, 0, 0, 0, 0, 0, 16))
    for at, segment in enumerate(build.segments):
        SEGMENT.pack_into(build.out, HEADER.size + at * SEGMENT.size, *segment)
    for at, section in enumerate(build.sections):
        SECTION.pack_into(build.out, build.headers_at + at * SECTION.size, *section)
    fields = (IDENT, 3, machine, 1, 0x1234, HEADER.size, build.headers_at, 0)
    sizes = (HEADER.size, SEGMENT.size, segment_count, SECTION.size, section_count)
    HEADER.pack_into(build.out, 0, *fields, *sizes, build.index(".shstrtab"))
    return bytes(build.out)


def _place(build: _Build, item: Item, table: bytes, places: dict[str, int]) -> None:
    count = 1 + sum(isinstance(each, Load | Unloaded) for each in build.items)
    if isinstance(item, Raw):
        build.out += item.content
    elif isinstance(item, OldSectionHeaders):
        build.pad(8)
        for section in build.sections:
            build.out += SECTION.pack(*section)
    elif isinstance(item, SectionHeaders):
        build.pad(8)
        build.headers_at = len(build.out)
        build.out += bytes(count * SECTION.size)
    elif isinstance(item, Unloaded):
        content = table if item.name == ".shstrtab" else item.content
        build.pad(item.align)
        link = build.index(item.links_to)
        entry = [places[item.name], item.kind, 0, 0, len(build.out), len(content)]
        build.sections.append([*entry, link, 0, item.align, ENTRY_BYTES.get(item.kind, 0)])
        build.out += content
    else:
        _place_load(build, item, places[item.name])


def _place_load(build: _Build, item: Load, name: int) -> None:
    first = not build.segments
    build.pad(8 if first else item.align)
    start = len(build.out)
    address = start if first else -(-build.address // item.align) * item.align
    build.out += item.content
    offset, low = (0, 0) if first else (start, address)
    file_bytes = len(build.out) - offset
    memory_bytes = file_bytes + item.extra_memory
    build.segments.append((1, 6, offset, low, low, file_bytes, memory_bytes, item.align))
    size = len(item.content)
    if item.kind == DYNAMIC:
        build.segments.append((2, 6, start, address, address, size, size, 8))
    entry_bytes = ENTRY_BYTES.get(item.kind, 0)
    build.sections.append([name, item.kind, 2, address, start, size, 0, 0, 8, entry_bytes])
    build.address = low + memory_bytes
