"""What a native library is and needs, read from its own headers. Pure: bytes in, facts out.

Sources: the System V ABI (ELF), the GNU symbol versioning of Drepper's "ELF Symbol Versioning",
and PEP 600: a library that needs a newer glibc than the target's cannot be loaded there.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from packager.model.target import Target

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_MAGIC = b"\x7fELF"
_FAMILIES = ("GLIBC", "GLIBCXX", "CXXABI")
_MACHINES = {
    "EM_X86_64": "x86_64",
    "EM_AARCH64": "aarch64",
    "EM_386": "i686",
    "EM_ARM": "armv7l",
    "EM_S390": "s390x",
    "EM_RISCV": "riscv64",
}
"""e_machine in the words of wheel tags; others keep their ELF name."""

_ABI_MARKER = "GLIBC_ABI_"
_FIRST_ABI_MARKER = "2.36"
"""`GLIBC_ABI_DT_RELR` came first, with glibc 2.36; an older loader refuses any such name."""

_LONGEST_INTERPRETER_BYTES = 4096
"""PATH_MAX of Linux."""

_LARGEST_STRING_TABLE_BYTES = 64 << 20
"""No real library has as many names; a hostile one could claim them."""


class BrokenElf(ValueError):  # noqa: N818 -- named as the sentence it stands for
    """The bytes begin as an ELF file but do not hold together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ElfFacts:
    """Facts of one ELF file.

    `bits` is 32 or 64. `machine` is the wheel tags' word where there is one, else ELF's own.
    `needed` are the sonames the loader looks for, in order. `search_path` is DT_RUNPATH, or
    DT_RPATH where there is none; `has_runpath` tells which. `versions` maps a family (`GLIBC`,
    `GLIBCXX`, `CXXABI`) to the highest version that is needed of it. `file_type` is ELF's e_type
    (`ET_DYN`). `interpreter` is the loader that a program names; libraries have none.
    """

    bits: int
    machine: str
    soname: str | None
    needed: tuple[str, ...]
    search_path: tuple[str, ...]
    versions: dict[str, tuple[int, ...]]
    file_type: str = "ET_DYN"
    interpreter: str | None = None
    has_runpath: bool = False


def read_elf(data: BinaryIO) -> ElfFacts | None:
    """Return the facts of the ELF file in the seekable stream `data`; None when it is none.

    Raises BrokenElf when it begins as one and cannot be read.
    """
    data.seek(0)
    if data.read(len(_MAGIC)) != _MAGIC:
        return None
    data.seek(0)
    # pyelftools trusts its input, so that odd bytes end in almost any exception; all of them say
    # the same about the file.
    try:
        return _read(data)
    except BrokenElf:
        raise
    except MemoryError:
        raise BrokenElf("its tables claim more than fits into memory") from None
    except Exception as error:
        raise BrokenElf(f"it cannot be read as ELF ({type(error).__name__})") from error


def glibc_violations(facts: ElfFacts, target: Target) -> list[str]:
    """Return why the library cannot be loaded on `target`; empty when it can.

    Looks at the machine and at what is needed of glibc. A libstdc++ is shipped by wheels
    themselves where they need a newer one, so that GLIBCXX is not judged here.
    """
    problems = []
    if facts.bits != 64 or facts.machine != target.machine:
        built_for = f"{facts.machine} ({facts.bits} bit)"
        problems.append(f"is for {built_for}, {target.label} needs {target.machine}")
    needed = facts.versions.get("GLIBC", ())
    if needed > target.glibc:
        wanted, present = (".".join(map(str, version)) for version in (needed, target.glibc))
        problems.append(f"needs glibc {wanted}, {target.runtime} has {present}")
    return problems


def _read(data: BinaryIO) -> ElfFacts:
    """Return the facts; any exception may come out of it."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 -- loaded only when a library is read

    elf = ELFFile(data)
    dynamic = _dynamic_values(elf)
    names = _string_table(elf, dynamic)
    paths = dynamic.get("DT_RUNPATH") or dynamic.get("DT_RPATH") or []
    sonames = [_text(names, at) for at in dynamic.get("DT_SONAME", [])]
    machine = str(elf.header["e_machine"])
    return ElfFacts(
        bits=elf.elfclass,
        machine=_MACHINES.get(machine, machine),
        soname=sonames[0] if sonames else None,
        needed=tuple(_text(names, at) for at in dynamic.get("DT_NEEDED", [])),
        search_path=tuple(
            folder for at in paths for folder in _text(names, at).split(":") if folder
        ),
        versions=_highest(_needed_versions(elf, dynamic, names)),
        file_type=str(elf.header["e_type"]),
        interpreter=_interpreter(elf),
        has_runpath="DT_RUNPATH" in dynamic,
    )


def _interpreter(elf: "ELFFile") -> str | None:
    """Return the loader that the program names."""
    for segment in elf.iter_segments(type="PT_INTERP"):
        size = min(segment.header["p_filesz"], _LONGEST_INTERPRETER_BYTES)
        name = _read_at(elf, segment.header["p_offset"], size)
        return name.rstrip(b"\0").decode("utf-8", "backslashreplace")
    return None


def _dynamic_values(elf: "ELFFile") -> dict[str, list[int]]:
    """Return the values of the dynamic segment by tag; empty for a static file or an object."""
    from elftools.elf.dynamic import DynamicSegment  # noqa: PLC0415 -- as in `_read`

    values: dict[str, list[int]] = {}
    for segment in elf.iter_segments(type="PT_DYNAMIC"):
        if not isinstance(segment, DynamicSegment):
            raise BrokenElf("its dynamic segment is not one")
        for tag in segment.iter_tags():
            values.setdefault(str(tag.entry.d_tag), []).append(int(tag.entry.d_val))
    return values


def _string_table(elf: "ELFFile", dynamic: dict[str, list[int]]) -> bytes:
    """Return the names that the dynamic segment refers to."""
    if "DT_STRTAB" not in dynamic:
        return b""
    size = dynamic["DT_STRSZ"][0]
    if size > _LARGEST_STRING_TABLE_BYTES:
        raise BrokenElf("its string table is too large to be one")
    return _read_at(elf, _offset(elf, dynamic["DT_STRTAB"][0]), size)


def _needed_versions(elf: "ELFFile", dynamic: dict[str, list[int]], names: bytes) -> Iterator[str]:
    """Yield the version names, such as `GLIBC_2.17`, that are needed of other libraries.

    They are read through DT_VERNEED, as the loader does, because section headers may be stripped.
    """
    if "DT_VERNEED" not in dynamic:
        return
    order = "<" if elf.little_endian else ">"
    library_at = _offset(elf, dynamic["DT_VERNEED"][0])
    for _ in range(dynamic["DT_VERNEEDNUM"][0]):
        fields = struct.unpack(f"{order}HHIII", _read_at(elf, library_at, 16))
        _, version_count, _, to_first_version, to_next_library = fields
        version_at = library_at + to_first_version
        for _ in range(version_count):
            entry = struct.unpack(f"{order}IHHII", _read_at(elf, version_at, 16))
            _, _, _, name_at, to_next_version = entry
            yield _text(names, name_at)
            version_at += to_next_version
        if to_next_library == 0:
            return
        library_at += to_next_library


def _highest(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the highest version per family; names such as `GLIBC_PRIVATE` have none."""
    highest: dict[str, tuple[int, ...]] = {}
    for name in names:
        family, _, version = name.partition("_")
        if name.startswith(_ABI_MARKER):
            version = _FIRST_ABI_MARKER
        numbers = version.split(".")
        if family in _FAMILIES and all(part.isascii() and part.isdigit() for part in numbers):
            highest[family] = max(highest.get(family, ()), tuple(map(int, numbers)))
    return highest


def _offset(elf: "ELFFile", address: int) -> int:
    """Return where the byte that is loaded at `address` lies in the file."""
    for offset in elf.address_offsets(address):
        return int(offset)
    raise BrokenElf("a table lies outside of what is loaded")


def _read_at(elf: "ELFFile", offset: int, size: int) -> bytes:
    """Return exactly `size` bytes."""
    elf.stream.seek(offset)
    found: bytes = elf.stream.read(size)
    if len(found) != size:
        raise BrokenElf("it is truncated")
    return found


def _text(names: bytes, at: int) -> str:
    """Return the name at `at` of the string table."""
    end = names.find(b"\0", at)
    if at >= len(names) or end < 0:
        raise BrokenElf("a name lies outside of its string table")
    return names[at:end].decode("utf-8", "backslashreplace")
