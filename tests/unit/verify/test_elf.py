"""ELF facts of real libraries, of compiled ones, and of bytes made by hand."""

import io
import shutil
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.intensity import examples

from packager.model.target import Target
from packager.runtime.targets import load_target
from packager.verify.elf import BrokenElf, ElfFacts, glibc_violations, read_elf

INSTALLED = sorted(Path(sysconfig.get_paths()["platlib"]).rglob("*.so"))[:40]


def _facts(**changes: object) -> ElfFacts:
    values: dict[str, object] = {
        "bits": 64,
        "machine": "x86_64",
        "soname": None,
        "needed": (),
        "search_path": (),
        "versions": {},
    }
    return ElfFacts(**(values | changes))  # type: ignore[arg-type]


def _compiled(folder: Path, source: str, *options: str) -> Path:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed here")
    code, library = folder / "code.c", folder / "libcode.so"
    code.write_text(source, encoding="utf-8")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(library), str(code), *options],
        check=True,
        capture_output=True,
    )
    return library


@pytest.mark.skipif(not INSTALLED, reason="no native library is installed in this environment")
def test_installed_libraries() -> None:
    for path in INSTALLED:
        with path.open("rb") as stream:
            facts = read_elf(stream)
        assert facts is not None, path
        assert facts.bits == 64
        assert "GLIBC" in facts.versions or not facts.needed


@pytest.mark.skipif(not INSTALLED, reason="no native library is installed in this environment")
def test_agrees_with_readelf() -> None:
    readelf = shutil.which("readelf")
    if readelf is None:
        pytest.skip("readelf (binutils) is not installed here")
    for path in INSTALLED[::8]:
        shown = subprocess.run(
            [readelf, "-dVW", str(path)], check=True, capture_output=True, text=True
        ).stdout
        with path.open("rb") as stream:
            facts = read_elf(stream)
        assert facts is not None
        needed = [
            line.split("[")[1].rstrip("]") for line in shown.splitlines() if "(NEEDED)" in line
        ]
        assert list(facts.needed) == needed
        numbers = [
            tuple(map(int, word.removeprefix("GLIBC_").split(".")))
            for word in shown.split()
            if word.startswith("GLIBC_") and word[6].isdigit()
        ]
        assert facts.versions.get("GLIBC", ()) == max(numbers, default=())


def test_a_compiled_library(tmp_path: Path) -> None:
    library = _compiled(
        tmp_path,
        "#include <math.h>\ndouble f(double x) { return cos(x); }\n",
        "-Wl,-soname,libcode.so.1", "-Wl,-rpath,$ORIGIN/../code.libs:/opt/lib",
        "-Wl,--no-as-needed", "-lm", "-Wl,--enable-new-dtags",
    )  # fmt: skip
    with library.open("rb") as stream:
        facts = read_elf(stream)
    assert facts is not None
    assert facts.soname == "libcode.so.1"
    assert facts.search_path == ("$ORIGIN/../code.libs", "/opt/lib")
    assert "libm.so.6" in facts.needed
    assert facts.versions["GLIBC"] >= (2, 2, 5)


def test_without_section_headers(tmp_path: Path) -> None:
    """The loader reads segments only, and so do we: stripped section headers change nothing."""
    library = _compiled(tmp_path, '#include <stdio.h>\nvoid f(void) { puts(""); }\n')
    content = bytearray(library.read_bytes())
    whole = read_elf(io.BytesIO(content))
    struct.pack_into("<Q", content, 0x28, 0)  # e_shoff
    struct.pack_into("<HHH", content, 0x3A, 0, 0, 0)  # e_shentsize, e_shnum, e_shstrndx
    assert read_elf(io.BytesIO(content)) == whole
    assert whole is not None
    assert whole.versions


def test_an_object_file_has_no_dynamic_part(tmp_path: Path) -> None:
    library = _compiled(tmp_path, "int f(void) { return 1; }\n", "-nostdlib", "-c")
    with library.open("rb") as stream:
        facts = read_elf(stream)
    assert facts == _facts(machine=facts.machine if facts else "", file_type="ET_REL")


@pytest.mark.parametrize(
    "content", [b"", b"\x7f", b"\x7fEL", b"MZ\x90\x00", b"\xcf\xfa\xed\xfe", b"#!/bin/sh\n"]
)
def test_other_files_are_none(content: bytes) -> None:
    assert read_elf(io.BytesIO(content)) is None


def _header(*, order: str, machine: int) -> bytes:
    """A bare 64-bit header with neither segments nor sections."""
    ident = b"\x7fELF" + bytes([2, 1 if order == "<" else 2, 1]) + bytes(9)
    return ident + struct.pack(
        f"{order}HHIQQQIHHHHHH", 3, machine, 1, 0, 0, 0, 0, 64, 56, 0, 64, 0, 0
    )


@pytest.mark.parametrize(
    ("order", "machine", "word"),
    [("<", 62, "x86_64"), ("<", 183, "aarch64"), (">", 22, "s390x"), ("<", 0xFEED, "65261")],
)
def test_a_bare_header(order: str, machine: int, word: str) -> None:
    facts = read_elf(io.BytesIO(_header(order=order, machine=machine)))
    assert facts == _facts(machine=word)


@pytest.mark.parametrize("keep", [4, 5, 16, 20, 63])
def test_a_truncated_header_is_broken(keep: int) -> None:
    with pytest.raises(BrokenElf):
        read_elf(io.BytesIO(_header(order="<", machine=62)[:keep]))


@pytest.mark.skipif(not INSTALLED, reason="no native library is installed in this environment")
@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_damaged_libraries_are_read_or_broken(data: st.DataObject) -> None:
    """Whatever a byte does: facts, or BrokenElf, and nothing else."""
    content = bytearray(min(INSTALLED, key=lambda path: path.stat().st_size).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        # Headers and the dynamic part matter; they are near either end.
        at = data.draw(
            st.integers(4, min(len(content), 2048) - 1) | st.integers(4, len(content) - 1)
        )
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(4, len(content)) | st.just(len(content)))
    try:
        facts = read_elf(io.BytesIO(content[:cut]))
    except BrokenElf as error:
        assert str(error)  # noqa: PT017 -- either outcome is right
    else:
        assert facts is not None


@pytest.mark.parametrize(
    ("facts", "target", "problems"),
    [
        (_facts(versions={"GLIBC": (2, 34)}), load_target("python3.13", "x86_64"), []),
        (_facts(), load_target("python3.11", "x86_64"), []),
        (
            _facts(versions={"GLIBC": (2, 28)}),
            load_target("python3.11", "x86_64"),
            ["needs glibc 2.28, python3.11 has 2.26"],
        ),
        (_facts(versions={"GLIBC": (2, 2, 5)}), load_target("python3.11", "x86_64"), []),
        (
            _facts(versions={"GLIBC": (2, 34)}),
            load_target("python3.13", "arm64"),
            ["is for x86_64 (64 bit), python3.13/arm64 needs aarch64"],
        ),
        (
            _facts(bits=32, machine="i686"),
            load_target("python3.13", "x86_64"),
            ["is for i686 (32 bit), python3.13/x86_64 needs x86_64"],
        ),
    ],
)
def test_violations(facts: ElfFacts, target: Target, problems: list[str]) -> None:
    assert glibc_violations(facts, target) == problems


def test_a_marker_of_a_newer_loader_counts_as_that_glibc() -> None:
    from packager.verify.elf import _highest  # noqa: PLC0415 -- no compiler here makes the marker

    assert _highest(["GLIBC_2.3", "GLIBC_ABI_DT_RELR", "GLIBC_PRIVATE"]) == {"GLIBC": (2, 36)}
    assert _highest(["GLIBC_2.9", "GLIBC_2.17", "CXXABI_1.3.9"]) == {
        "GLIBC": (2, 17),
        "CXXABI": (1, 3, 9),
    }


def test_reading_costs_no_library_until_it_is_elf() -> None:
    code = (
        "import io, sys; from packager.verify.elf import read_elf; "
        "read_elf(io.BytesIO(b'text')); sys.exit('elftools' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
