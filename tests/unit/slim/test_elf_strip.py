import io
import os
import struct
import subprocess
import sys
from dataclasses import replace

import pytest
from elftools.elf.elffile import ELFFile
from support.elf_builder import (
    AARCH64,
    DYNAMIC_LOAD,
    NAMES,
    NOBITS,
    RELA,
    STRTAB,
    SYMTAB,
    X86_64,
    Item,
    Load,
    OldSectionHeaders,
    Raw,
    SectionHeaders,
    Unloaded,
    build_library,
)
from support.elf_image import assert_loads_alike, image_of

from packager.slim.elf_proof import check_stripped
from packager.slim.elf_strip import Stripped, Untouched, strip_elf

TEXT = Load(name=".text", content=bytes(range(256)) * 8)
EH_FRAME = Load(name=".eh_frame", content=b"unwind" * 50)
STRINGS = Unloaded(name=".strtab", content=b"name\0" * 4000, kind=STRTAB)
SYMBOLS = Unloaded(
    name=".symtab", content=b"symbols!" * 3000, kind=SYMTAB, align=8, links_to=".strtab"
)
DEBUG = Unloaded(name=".debug_info", content=b"dwarf" * 1000)
LATE = Load(name=".dynstr", content=b"late\0" * 100, extra_memory=64)
KEPT = Unloaded(name=".dep-v0", content=b"audit data" * 9, align=4)
PLAIN = (TEXT, DYNAMIC_LOAD, EH_FRAME, SYMBOLS, STRINGS, DEBUG, NAMES)
PATCHED = (TEXT, DYNAMIC_LOAD, DEBUG, SYMBOLS, STRINGS, NAMES, SectionHeaders(), LATE)


def stripped(data: bytes) -> Stripped:
    result = strip_elf(data)
    assert isinstance(result, Stripped), result
    assert_loads_alike(data, result.data)
    assert result.removed_bytes == len(data) - len(result.data)
    return result


def reason(data: bytes | bytearray) -> str:
    result = strip_elf(data)
    assert isinstance(result, Untouched)
    return result.reason


@pytest.mark.parametrize("machine", [X86_64, AARCH64])
def test_what_lies_behind_the_last_segment_is_cut(machine: int) -> None:
    data = build_library(*PLAIN, machine=machine)
    result = stripped(data)
    assert result.removed_sections == (".symtab", ".strtab", ".debug_info")
    gone = sum(len(item.content) for item in (SYMBOLS, STRINGS, DEBUG))
    assert gone < result.removed_bytes < gone + 512
    assert image_of(result.data).names == ["", ".text", ".dynamic", ".eh_frame", ".shstrtab"]
    last = len(TEXT.content) // 4096 + 3
    assert len(result.data) < last * 4096 + len(EH_FRAME.content) + 512


@pytest.mark.parametrize(("machine", "align"), [(X86_64, 0x1000), (AARCH64, 0x10000)])
def test_segments_behind_symbols_move_by_multiples_of_their_alignment(
    machine: int, align: int
) -> None:
    symbols = replace(SYMBOLS, content=b"symbols!" * 30_000, links_to=".shstrtab")
    late = Load(name=".dynstr", content=b"late\0" * 100, align=align, extra_memory=64)
    after = Load(name=".hash", content=b"hash" * 100, align=align)
    data = build_library(
        TEXT, DYNAMIC_LOAD, symbols, NAMES, SectionHeaders(), late, after, machine=machine
    )
    result = stripped(data)
    moved = {
        (was["p_offset"] - now["p_offset"])
        for was, now in zip(
            ELFFile(io.BytesIO(data)).iter_segments(),
            ELFFile(io.BytesIO(result.data)).iter_segments(),
            strict=True,
        )
        if was["p_type"] == "PT_LOAD"
    }
    assert moved == {0, 240_000 // align * align}
    assert result.removed_bytes >= max(moved) - 512


def test_a_gap_smaller_than_the_alignment_stays_but_holds_no_symbols() -> None:
    symbols = replace(SYMBOLS, content=b"symbols!" * 99, links_to=".shstrtab")
    late = Load(name=".dynstr", content=b"late\0", align=0x10000)
    data = build_library(TEXT, DYNAMIC_LOAD, symbols, late, DEBUG, NAMES, machine=AARCH64)
    result = stripped(data)
    assert b"symbols!" in data
    assert b"symbols!" not in result.data
    offsets = [
        [segment["p_offset"] for segment in ELFFile(io.BytesIO(each)).iter_segments()]
        for each in (data, result.data)
    ]
    assert offsets[0] == offsets[1]


def test_sections_keep_their_numbers_because_the_dynamic_symbols_use_them() -> None:
    data = build_library(*PATCHED)
    result = stripped(data)
    was, now = image_of(data), image_of(result.data)
    assert was.names == [
        *("", ".text", ".dynamic", ".debug_info", ".symtab", ".strtab", ".shstrtab", ".dynstr")
    ]
    assert now.names == ["", ".text", ".dynamic", "", "", "", ".shstrtab", ".dynstr"]


def test_the_names_move_down_when_the_table_becomes_shorter() -> None:
    data = build_library(*PLAIN)
    was, now = (ELFFile(io.BytesIO(each)) for each in (data, stripped(data).data))
    assert (was.header["e_shstrndx"], now.header["e_shstrndx"]) == (7, 4)
    assert now.header["e_shnum"] == 5


def test_sections_of_unknown_purpose_stay_with_their_bytes() -> None:
    data = build_library(TEXT, DYNAMIC_LOAD, KEPT, DEBUG, NAMES, SectionHeaders(), LATE)
    result = stripped(data)
    section = ELFFile(io.BytesIO(result.data)).get_section_by_name(".dep-v0")
    assert section is not None
    assert section.data() == KEPT.content
    assert section["sh_offset"] % 4 == 0
    assert result.removed_sections == (".debug_info",)


def test_symbols_that_something_kept_refers_to_stay() -> None:
    relocations = Unloaded(name=".rela.text", content=bytes(240), kind=RELA, links_to=".symtab")
    data = build_library(TEXT, DYNAMIC_LOAD, relocations, DEBUG, SYMBOLS, STRINGS, NAMES)
    assert stripped(data).removed_sections == (".debug_info",)


@pytest.mark.parametrize(
    ("unwinding", "removed"), [((), ()), ((EH_FRAME,), (".debug_frame",))], ids=["only", "beside"]
)
def test_debug_frame_stays_where_it_is_the_only_way_to_unwind(
    unwinding: tuple[Item, ...], removed: tuple[str, ...]
) -> None:
    frame = Unloaded(name=".debug_frame", content=b"frame" * 900)
    data = build_library(TEXT, DYNAMIC_LOAD, *unwinding, frame, DEBUG, NAMES)
    assert stripped(data).removed_sections == (*removed, ".debug_info")


def test_a_table_that_patchelf_left_behind_is_dropped() -> None:
    data = build_library(TEXT, DYNAMIC_LOAD, SYMBOLS, STRINGS, NAMES, OldSectionHeaders(), LATE)
    assert stripped(data).removed_bytes > len(SYMBOLS.content) + len(STRINGS.content) - 0x2000


def test_padding_behind_a_segment_stays_where_it_is_mapped() -> None:
    traps = Raw(b"\xcc" * (0x1000 - len(EH_FRAME.content) % 0x1000))
    data = build_library(TEXT, DYNAMIC_LOAD, EH_FRAME, traps, DEBUG, SYMBOLS, STRINGS, NAMES, LATE)
    assert traps.content in stripped(data).data


def with_moved_program_headers(*, in_a_section: bool) -> bytes:
    """Let the program headers lie in the last segment, behind its section or in it."""
    data = bytearray(build_library(*PATCHED[:-1], Load(name=".dynstr", content=bytes(2000))))
    old_at, sections_at = struct.unpack_from("<QQ", data, 32)
    table = data[old_at : old_at + 5 * 56]
    new_at = (len(data) - 1000) & ~7
    data[new_at : new_at + len(table)] = table
    struct.pack_into("<Q", data, 32, new_at)
    if not in_a_section:
        struct.pack_into("<Q", data, sections_at + 7 * 64 + 32, 500)
    return bytes(data)


def test_program_headers_that_were_moved_move_with_their_segment() -> None:
    data = with_moved_program_headers(in_a_section=False)
    places = [ELFFile(io.BytesIO(each)).header["e_phoff"] for each in (data, stripped(data).data)]
    assert places[0] - places[1] > 0
    assert (places[0] - places[1]) % 4096 == 0


def test_a_result_that_fails_the_proof_is_thrown_away() -> None:
    data = with_moved_program_headers(in_a_section=True)
    assert reason(data) == "stripping it went wrong: section 7 holds other bytes"


def test_it_takes_views_and_is_done_after_one_pass() -> None:
    data = build_library(*PATCHED)
    result = strip_elf(memoryview(data))
    assert isinstance(result, Stripped)
    assert result == strip_elf(data)
    assert reason(result.data) == "it has nothing to strip"


def patched(form: str, at: int, *values: int) -> bytes:
    data = bytearray(build_library(*PLAIN))
    struct.pack_into(form, data, at, *values)
    return bytes(data)


SMALL = Unloaded(name=".comment", content=b"GCC")
ONLY_DEBUG = Load(name=".dynamic", content=bytes(32), kind=NOBITS)
SECTIONS_AT = struct.unpack_from("<Q", build_library(*PLAIN), 40)[0]
REFUSED = [
    (b"", "it is not a 64-bit little-endian ELF file"),
    (b"#!/bin/sh\n" * 20, "it is not a 64-bit little-endian ELF file"),
    (patched("<B", 4, 1), "it is not a 64-bit little-endian ELF file"),
    (patched("<B", 5, 2), "it is not a 64-bit little-endian ELF file"),
    (patched("<H", 18, 243), "it is for another processor than x86_64 or aarch64"),
    (patched("<H", 16, 1), "it is not a shared library"),
    (patched("<H", 16, 2), "it is not a shared library"),
    (patched("<H", 60, 0), "it has no section headers"),
    (patched("<H", 58, 40), "its tables have entries of unusual size"),
    (patched("<H", 62, 99), "its sections have no names"),
    (patched("<H", 62, 1), "its sections have no names"),
    (patched("<H", 56, 5000), "it has too many segments or sections"),
    (patched("<Q", 32, 1 << 60), "a table of its header lies outside of the file"),
    (patched("<Q", 64 + 32, 1 << 30), "its segments overlap"),
    (patched("<Q", 64 + 48, 3), "a segment's alignment is not a power of two"),
    (patched("<Q", 64 + 16, 8), "a segment is not aligned as it says"),
    (patched("<Q", SECTIONS_AT + 4 * 64 + 32, 1 << 40), "its sections overlap"),
    (patched("<Q", SECTIONS_AT + 4 * 64 + 24, 1 << 40), "a section ends behind the end"),
    (patched("<I", SECTIONS_AT + 4 * 64, 5000), "a section's name lies outside"),
    (build_library(TEXT, ONLY_DEBUG, DEBUG, NAMES), "it has no dynamic segment"),
    (build_library(*PLAIN)[:-1], "a table of its header lies outside of the file"),
    (build_library(TEXT, DYNAMIC_LOAD, NAMES), "it has nothing to strip"),
    (build_library(TEXT, DYNAMIC_LOAD, SMALL, NAMES), "stripping it is not worth a change"),
    (build_library(*PLAIN) + b"PK\5\6" + bytes(18), "it ends in bytes that no section describes"),
    (
        build_library(TEXT, DYNAMIC_LOAD, SYMBOLS, STRINGS, Raw(b"payload" * 900), NAMES, LATE),
        "it holds bytes that no section describes",
    ),
]


@pytest.mark.parametrize(("data", "why"), REFUSED, ids=[f"{n}" for n in range(len(REFUSED))])
def test_a_file_that_leaves_doubts_stays_as_it_is(data: bytes, why: str) -> None:
    assert reason(data).startswith(why)


BEFORE = build_library(*PATCHED)
AFTER = stripped(BEFORE).data
AFTER_SECTIONS = struct.unpack_from("<Q", AFTER, 40)[0]
LAST_LOAD = 64 + 3 * 56


def changed(form: str, at: int, value: int) -> bytes:
    data = bytearray(AFTER)
    assert struct.unpack_from(form, data, at) != (value,)
    struct.pack_into(form, data, at, value)
    return bytes(data)


WRONG = {
    "an entry point": (changed("<Q", 24, 1), "its header differs"),
    "a machine": (changed("<H", 18, AARCH64), "its header differs"),
    "code": (changed("<B", 500, 1), "segment 0 holds other bytes"),
    "an address": (changed("<Q", LAST_LOAD + 16, 8), "segment 3 differs in more than its offset"),
    "a flag": (changed("<I", LAST_LOAD + 4, 7), "segment 3 differs in more than its offset"),
    "an offset": (changed("<Q", LAST_LOAD + 8, 8), "segment 3 is not aligned in the file"),
    "an overlap": (changed("<Q", LAST_LOAD + 8, 0), "loaded segments 1 and 2 overlap in the file"),
    "a section's address": (
        changed("<Q", AFTER_SECTIONS + 64 + 16, 8),
        "section 1 differs in more than its offset",
    ),
    "a section's offset": (
        changed("<Q", AFTER_SECTIONS + 64 + 24, 8),
        "section 1 holds other bytes",
    ),
    "a lost section": (changed("<I", AFTER_SECTIONS + 64 + 4, 0), "section 1 was loaded"),
    "a dangling link": (changed("<I", AFTER_SECTIONS + 64 + 40, 4), "section 1 differs"),
    "its end": (AFTER[: LAST_LOAD + 200], "one of the files cannot be read"),
    "growth": (AFTER + bytes(len(BEFORE)), "it is larger than before"),
    "everything": (b"", "one of the files cannot be read"),
}


@pytest.mark.parametrize("change", WRONG)
def test_the_proof_finds_what_would_load_otherwise(change: str) -> None:
    assert check_stripped(BEFORE, AFTER) == []
    wrong, finding = WRONG[change]
    findings = check_stripped(BEFORE, wrong)
    assert any(each.startswith(finding) for each in findings), findings


def test_the_proof_finds_a_loaded_segment_cut_off_at_the_end() -> None:
    data = bytearray(AFTER)
    struct.pack_into("<Q", data, LAST_LOAD + 8, 1 << 32)
    assert "segment 3 ends behind the end of the file" in check_stripped(BEFORE, bytes(data))


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import hashlib, sys; from packager.slim.elf_strip import Stripped, strip_elf;"
        "done = strip_elf(sys.stdin.buffer.read()); assert isinstance(done, Stripped), done;"
        "print(hashlib.sha256(done.data).hexdigest())"
    )
    # Names of one length, whose order in the new table of names nothing else decides.
    same_length = [Load(name=f".sec_{letter}", content=b"x" * 64) for letter in "abcdefgh"]
    data = build_library(TEXT, DYNAMIC_LOAD, *same_length, SYMBOLS, STRINGS, DEBUG, NAMES)
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=data,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(1, 5)
    }
    assert len(digests) == 1
