"""Reads a library with pyelftools, which shares no code with lpack: what a loader would see."""

import io
from dataclasses import dataclass

from elftools.elf.elffile import ELFFile

# Fields of the two tables that hold offsets and may change: see the System V ABI.
_HEADER_FIELDS = ((0x20, 0x30), (0x3C, 0x40))


@dataclass(frozen=True, kw_only=True)
class Image:
    """What is mapped, and the sections, by index, that are loaded."""

    headers: list[dict[str, int | str]]
    mapped: dict[int, bytes]
    loaded_sections: dict[int, tuple[str, int, int, bytes]]
    names: list[str]
    misaligned: list[int]


def image_of(data: bytes | bytearray) -> Image:
    """Read `data`; the fields that hold offsets are zero in what is mapped."""
    elf = ELFFile(io.BytesIO(data))
    masked = bytearray(data)
    for start, end in _HEADER_FIELDS:
        masked[start:end] = bytes(end - start)
    table = elf.header["e_phoff"]
    for at in range(elf.num_segments()):
        field = table + at * elf.header["e_phentsize"] + 8
        masked[field : field + 8] = bytes(8)
    segments = [dict(segment.header) for segment in elf.iter_segments()]
    loads = [segment for segment in segments if segment["p_type"] == "PT_LOAD"]
    sections = dict(enumerate(elf.iter_sections()))
    return Image(
        headers=[
            {key: value for key, value in segment.items() if key != "p_offset"}
            for segment in segments
        ],
        mapped={
            load["p_vaddr"]: bytes(masked[load["p_offset"] : load["p_offset"] + load["p_filesz"]])
            for load in loads
        },
        loaded_sections={
            index: (
                section.name,
                section["sh_addr"],
                section["sh_size"],
                b"" if section["sh_type"] == "SHT_NOBITS" else section.data(),
            )
            for index, section in sections.items()
            if section["sh_flags"] & 2
        },
        names=[section.name for section in sections.values()],
        misaligned=[
            load["p_vaddr"]
            for load in loads
            if (load["p_offset"] - load["p_vaddr"]) % max(load["p_align"], 4096)
        ],
    )


def assert_loads_alike(before: bytes, after: bytes | bytearray) -> None:
    """Require that a loader sees the same in both."""
    old, new = image_of(before), image_of(after)
    assert new.misaligned == old.misaligned == []
    assert new.headers == old.headers
    assert new.mapped == old.mapped
    assert new.loaded_sections == old.loaded_sections
    assert len(after) <= len(before)
