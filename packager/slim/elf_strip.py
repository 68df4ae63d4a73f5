"""Strips shared libraries: takes out what is for debuggers and linkers only. Pure.

Goes as far as `strip --strip-unneeded`, but never moves a loadable byte against its alignment,
which GNU strip does to libraries that patchelf changed (numpy's OpenBLAS cannot be loaded
afterwards: patchelf#10, auditwheel#716). What is removed lies behind the last segment, or between
segments; in the latter case the following segments move left by whole multiples of their p_align.
Symbol names are gone for debuggers, profilers and printed backtraces; exceptions are unaffected,
since they are unwound by `.eh_frame`, which is loaded.

Sections keep their numbers, because `.dynsym` refers to them and is loaded: a removed section in
the middle of the table becomes an empty entry (SHT_NULL, which the System V ABI calls inactive).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from packager.slim.elf_blocks import Move, Places, blocks_of, moves_of
from packager.slim.elf_layout import (
    HEADER,
    SECTION,
    SEGMENT,
    SHT_NULL,
    SHT_STRTAB,
    Header,
    Layout,
    OddElf,
    Section,
    Segment,
)
from packager.slim.elf_proof import check_stripped
from packager.slim.elf_room import Room, joined

WORTHWHILE_BYTES = 1024
WORTHWHILE_SHARE = 1 / 1000
"""Below either a file stays as it came: its stream is copied instead of compressed anew.

Of the 87 MB of OpenCV's main libraries 14 kB could be stripped, at twenty seconds of compression.
"""

_TABLES_BYTES = 64 * 1024

_REMOVABLE = frozenset(
    {
        ".symtab",
        ".symtab_shndx",
        ".strtab",
        ".comment",
        ".gnu.build.attributes",
        ".annobin.notes",
        ".gnu_debuglink",
        ".gnu_debugaltlink",
        ".gnu_debugdata",
        ".gdb_index",
        ".note.gnu.gold-version",
        ".GCC.command.line",
        ".stab",
        ".stabstr",
        ".stab.index",
        ".stab.indexstr",
    }
)
_REMOVABLE_PREFIXES = (".debug_", ".zdebug_", ".gnu.debuglto_")
_UNWINDING = ".debug_frame"
_NAMES = ".shstrtab"
_OLD_TYPES = {*range(20), 0x6FFFFFF6, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF, 0x70000001}
"""SHT_NULL to SHT_RELR; those of GNU hashes and versions; SHT_X86_64_UNWIND."""

_WORD_BYTES = 8
_NO_SECTION = Section(*(0,) * len(Section._fields))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stripped:
    """The smaller file, and the names of the sections that are gone."""

    data: bytes | bytearray
    removed_bytes: int
    removed_sections: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Untouched:
    """The file stays as it is, for the reason given."""

    reason: str


def _is_promising(layout: Layout, removed: Collection[int], file_bytes: int) -> bool:
    """Tell whether stripping can be worthwhile, before a second copy of the file is made.

    Alignment and tables that patchelf left behind can free a little more than the sections.
    """
    freed = sum(layout.sections[index].section_bytes for index in removed) + _TABLES_BYTES
    return freed >= file_bytes * WORTHWHILE_SHARE


def strip_elf(
    data: bytes | bytearray | memoryview, *, room: Room | None = None
) -> Stripped | Untouched:
    """Strip the 64-bit x86_64 or aarch64 library `data`; any other bytes stay as they are.

    The result has passed `check_stripped`. `room` is where it is written to.
    """
    view = memoryview(data).cast("B")
    try:
        layout = Layout.read(view)
        removed = _removable(layout)
        if not removed:
            return Untouched(reason="it has nothing to strip")
        if not _is_promising(layout, removed, len(view)):
            return Untouched(reason="stripping it is not worth a change")
        room = room or Room()
        stripped = _rewrite(view, layout, removed, room)
    except OddElf as odd:
        return Untouched(reason=str(odd))
    saved_bytes = len(view) - len(stripped)
    if saved_bytes < max(WORTHWHILE_BYTES, len(view) * WORTHWHILE_SHARE):
        return Untouched(reason="stripping it is not worth a change")
    findings = check_stripped(view, stripped, rest=room.rest)
    if findings:
        return Untouched(reason=f"stripping it went wrong: {findings[0]}")
    return Stripped(
        data=stripped,
        removed_bytes=saved_bytes,
        removed_sections=tuple(layout.names[index] for index in sorted(removed)),
    )


def _removable(layout: Layout) -> set[int]:
    """Choose the sections that go: unloaded, for debuggers by name, and referred to by none kept.

    `.debug_frame` stays where no `.eh_frame` is loaded: something may unwind by it.
    """
    unwinds = any(
        name == ".eh_frame" and section.loaded
        for name, section in zip(layout.names, layout.sections, strict=True)
    )
    removed = {
        index
        for index, (name, section) in enumerate(zip(layout.names, layout.sections, strict=True))
        if not section.loaded
        and section.type != SHT_NULL
        and index != layout.header.names_index
        and (name in _REMOVABLE or name.startswith(_REMOVABLE_PREFIXES))
        and (unwinds or name != _UNWINDING)
    }
    kept = [index for index in range(len(layout.sections)) if index not in removed]
    while kept:
        for index in layout.sections[kept.pop()].refers_to:
            if index in removed:
                removed.discard(index)
                kept.append(index)
    return removed


class _Tail(NamedTuple):
    """What is written behind the last block, and the new section headers, which end it."""

    pieces: list[bytes | memoryview]
    sections: list[Section]
    sections_offset: int
    names_index: int


def _rewrite(data: memoryview, layout: Layout, removed: set[int], room: Room) -> bytearray:
    """Return the new file. Raises OddElf when it holds bytes that nothing accounts for."""
    moves = moves_of(blocks_of(layout))
    places = Places(layout, moves)
    pieces = list(_body(data, layout, moves))
    tail = _tail(data, layout, removed, places)
    stripped = joined(pieces + tail.pieces, room)
    header = layout.header._replace(
        segments_offset=places.offset(layout.header.segments_offset),
        sections_offset=tail.sections_offset,
        section_count=len(tail.sections),
        names_index=tail.names_index,
    )
    _write_headers(stripped, header, [places.of_segment(each) for each in layout.segments])
    return stripped


def _write_headers(stripped: bytearray, header: Header, segments: Sequence[Segment]) -> None:
    HEADER.pack_into(stripped, 0, *header)
    for index, segment in enumerate(segments):
        SEGMENT.pack_into(stripped, header.segments_offset + index * SEGMENT.size, *segment)


def _body(data: memoryview, layout: Layout, moves: Sequence[Move]) -> Iterator[bytes | memoryview]:
    """Yield the blocks with what pads them. Raises OddElf for bytes that nothing describes.

    A gap keeps its first bytes, which are mapped together with the segment before it and which
    linkers fill on purpose, except for those of sections: these go or are written at the end.
    """
    sections_end = layout.header.sections_offset + layout.header.section_count * SECTION.size
    claims = sorted(
        [(layout.header.sections_offset, sections_end)]
        + [(each.offset, each.end) for each in layout.sections if each.file_bytes]
    )
    old_end = new_end = 0
    for move in moves:
        gap = _unclaimed(data, old_end, move.block.start, claims)
        kept_bytes = move.start - new_end
        if any(gap[kept_bytes:]):
            raise OddElf("it holds bytes that no section describes")
        yield bytes(gap[:kept_bytes])
        yield data[move.block.start : move.block.end]
        old_end, new_end = move.block.end, move.end
    if any(_unclaimed(data, old_end, len(data), claims)):
        raise OddElf("it ends in bytes that no section describes")


def _unclaimed(
    data: memoryview, start: int, end: int, claims: Sequence[tuple[int, int]]
) -> bytearray:
    """Return the bytes from `start` to `end` with zeros for those that `claims` cover."""
    gap = bytearray(data[start:end])
    for claim_start, claim_end in claims:
        low, high = max(claim_start, start), min(claim_end, end)
        if low < high:
            gap[low - start : high - start] = bytes(high - low)
    return bytearray(len(gap)) if _is_old_table(gap, start, len(data)) else gap


def _is_old_table(gap: bytearray, start: int, file_bytes: int) -> bool:
    """Tell whether `gap` holds nothing but section headers.

    patchelf writes a new table at the end and leaves the old one where it was.
    """
    if not any(gap):
        return False
    first = len(gap) - len(gap.lstrip(b"\0"))
    first = max(first - (start + first) % _WORD_BYTES, 0)
    table = bytes(gap[first:]).rstrip(b"\0")
    table += bytes(-len(table) % SECTION.size)
    entries = [Section(*fields) for fields in SECTION.iter_unpack(table)]
    return all(
        entry.type in _OLD_TYPES
        and entry.name < file_bytes
        and entry.end <= file_bytes
        and entry.align & (entry.align - 1) == 0
        for entry in entries
    )


def _tail(data: memoryview, layout: Layout, removed: set[int], places: Places) -> _Tail:
    """Lay out the kept sections that are not loaded, the names, and the section headers."""
    names_index = layout.header.names_index
    kept = [i for i in range(len(layout.sections)) if i not in removed and i != names_index]
    pieces: list[bytes | memoryview] = []
    cursor = places.moves[-1].end
    names, name_places = _name_table([layout.names[i] for i in kept])
    # The names keep their number unless they can move down to the end of a shorter table.
    names_at = min(names_index, kept[-1] + 1)
    sections = [_NO_SECTION] * (max(kept[-1], names_at) + 1)
    for index in kept:
        section = layout.sections[index]
        if not section.file_bytes:
            offset = 0 if section.type == SHT_NULL else min(places.of_empty(section), cursor)
        elif move := places.find(section.offset, section.end):
            offset = section.offset - move.shift
        else:
            offset = _aligned(cursor, section.align)
            pieces += [bytes(offset - cursor), data[section.offset : section.end]]
            cursor = offset + section.file_bytes
        name = name_places[layout.names[index]]
        sections[index] = section._replace(name=name, offset=offset)
    sections[names_at] = _names_section(name_places[_NAMES], cursor, len(names))
    cursor += len(names)
    sections_offset = _aligned(cursor, _WORD_BYTES)
    pieces += [names, bytes(sections_offset - cursor)]
    pieces += [SECTION.pack(*section) for section in sections]
    return _Tail(pieces, sections, sections_offset, names_at)


def _names_section(name: int, offset: int, names_bytes: int) -> Section:
    return Section(name, SHT_STRTAB, 0, 0, offset, names_bytes, 0, 0, 1, 0)


def _name_table(names: Sequence[str]) -> tuple[bytes, dict[str, int]]:
    """Return the table of `names` and `.shstrtab`, and the place of each in it.

    A name that ends another one shares its bytes, as linkers do it.
    """
    table = bytearray(b"\0")
    places = {"": 0}
    for name in sorted({*names, _NAMES}, key=lambda each: (-len(each), each)):
        encoded = name.encode("utf-8", "surrogateescape") + b"\0"
        found = table.find(encoded)
        places[name] = found if found >= 0 else len(table)
        if found < 0:
            table += encoded
    return bytes(table), places


def _aligned(offset: int, align: int) -> int:
    return -(-offset // max(align, 1)) * max(align, 1)
