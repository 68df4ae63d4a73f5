"""Whatever a library looks like: what is loaded stays, and odd bytes never raise."""

import struct

from hypothesis import given
from hypothesis import strategies as st
from support.elf_builder import (
    AARCH64,
    DYNAMIC_LOAD,
    NAMES,
    X86_64,
    Item,
    Load,
    OldSectionHeaders,
    SectionHeaders,
    Unloaded,
    build_library,
)
from support.elf_image import assert_loads_alike

from packager.slim.elf_proof import check_stripped
from packager.slim.elf_strip import Stripped, Untouched, strip_elf

ALIGNS = {X86_64: (0x1000, 0x200000), AARCH64: (0x1000, 0x10000)}
UNLOADED = (".comment", ".debug_info", ".debug_line", ".strtab", ".dep-v0", ".note.stapsdt")


def contents(seed: int, count: int) -> bytes:
    return bytes((seed + 7 * at) % 255 + 1 for at in range(min(count, 256))) * (1 + count // 256)


@st.composite
def libraries(draw: st.DrawFn) -> bytes:
    machine = draw(st.sampled_from([X86_64, AARCH64]))
    sizes = st.integers(0, 9000)
    items: list[Item] = [
        Load(
            name=f".data{at}",
            content=contents(at, draw(st.integers(1, 9000))),
            align=draw(st.sampled_from(ALIGNS[machine][: 1 + (at == 0)])),
            extra_memory=draw(st.sampled_from([0, 0, 16, 5000])),
        )
        for at in range(draw(st.integers(1, 4)))
    ]
    rest: list[Item] = [DYNAMIC_LOAD, NAMES]
    names = draw(st.lists(st.sampled_from(UNLOADED), unique=True))
    for at, name in enumerate(names):
        align = draw(st.sampled_from([1, 8, 32]))
        rest.append(Unloaded(name=name, content=contents(40 + at, draw(sizes)), align=align))
    rest += draw(st.sampled_from([[], [SectionHeaders()], [OldSectionHeaders()]]))
    for item in rest:
        items.insert(draw(st.integers(1, len(items))), item)
    return build_library(*items, machine=machine)


@given(libraries())
def test_what_is_loaded_stays_and_one_pass_is_enough(data: bytes) -> None:
    result = strip_elf(data)
    if isinstance(result, Untouched):
        assert "wrong" not in result.reason
        return
    assert_loads_alike(data, result.data)
    assert check_stripped(data, result.data) == []
    assert isinstance(strip_elf(result.data), Untouched)


@given(libraries(), st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1))
def test_odd_bytes_never_raise_and_what_is_mapped_stays(
    data: bytes, changes: list[tuple[int, int]]
) -> None:
    (sections_at,) = struct.unpack_from("<Q", data, 40)
    tables = [*range(400), *range(sections_at, len(data))]
    odd = bytearray(data)
    for place, value in changes:
        odd[tables[place % len(tables)]] = value
    result = strip_elf(bytes(odd))
    if isinstance(result, Stripped):
        assert mapped(odd) == mapped(result.data)


def mapped(data: bytes | bytearray) -> list[bytes]:
    """The bytes of each loaded segment, without the two tables at the front of the file."""
    (table_at,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    found = []
    for at in range(count):
        kind, _, start, _, _, size = struct.unpack_from("<IIQQQQ", data, table_at + at * 56)
        if kind == 1:
            skip = max(table_at + count * 56 - start, 0) if start < table_at + count * 56 else 0
            found.append(bytes(data[start + skip : start + size]))
    return found


@given(libraries(), st.integers(0, 2**30), st.integers(1, 255))
def test_the_proof_finds_any_other_byte_in_a_loaded_section(
    data: bytes, place: int, difference: int
) -> None:
    result = strip_elf(data)
    if isinstance(result, Untouched):
        return
    after = bytearray(result.data)
    loaded = [at for start, size in loaded_ranges(result.data) for at in range(start, start + size)]
    after[loaded[place % len(loaded)]] ^= difference
    assert check_stripped(data, bytes(after))


def loaded_ranges(data: bytes | bytearray) -> list[tuple[int, int]]:
    (table_at,) = struct.unpack_from("<Q", data, 40)
    (count,) = struct.unpack_from("<H", data, 60)
    entries = [struct.unpack_from("<IIQQQQ", data, table_at + at * 64) for at in range(count)]
    return [(start, size) for _, _, flags, _, start, size in entries if flags & 2]


@given(st.binary(max_size=4096))
def test_any_bytes_are_left_alone(data: bytes) -> None:
    assert isinstance(strip_elf(data), Untouched)
    assert isinstance(strip_elf(b"\x7fELF\2\1\1" + data), Untouched)
    assert check_stripped(data, data) != []
