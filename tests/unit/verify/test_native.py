"""Sentences about native files that cannot be loaded on the target."""

from typing import Any

import pytest
from support.bundles import system_of

from packager.model.finding import Finding
from packager.verify.elf import ElfFacts
from packager.verify.libraries import Library
from packager.verify.native import check_native


def library(path: str, **changes: Any) -> Library:
    values: dict[str, Any] = {
        "bits": 64,
        "machine": "x86_64",
        "soname": None,
        "needed": (),
        "search_path": (),
        "versions": {},
    }
    return Library(path=path, facts=ElfFacts(**(values | changes)))


def check(*libraries: Library, on: str = "python3.13/x86_64") -> list[Finding]:
    return list(check_native(libraries, system_of(on)))


def test_what_works_is_silent() -> None:
    good = library(
        "pkg/a.cpython-313-x86_64-linux-gnu.so",
        needed=("libc.so.6", "libstdc++.so.6", "ld-linux-x86-64.so.2", "libpython3.13.so.1.0"),
        versions={"GLIBC": (2, 34), "GLIBCXX": (3, 4, 33), "CXXABI": (1, 3, 15)},
    )
    assert check(good) == []


def test_the_loader_of_arm64_is_known() -> None:
    good = library("a.so", machine="aarch64", needed=("ld-linux-aarch64.so.1", "libm.so.6"))
    assert check(good, on="python3.13/arm64") == []
    assert check(good, on="python3.11/arm64") == []


def test_a_newer_glibc_names_the_runtime_that_has_it() -> None:
    (finding,) = check(library("a.so", versions={"GLIBC": (2, 28)}), on="python3.11/x86_64")
    assert (finding.code, finding.level) == ("needs-newer-glibc", "error")
    assert finding.message == "`a.so` needs glibc 2.28, python3.11 has 2.26"
    assert finding.hint is not None
    assert "manylinux_2_26" in finding.hint
    assert "python3.12 or later" in finding.hint
    (finding,) = check(library("a.so", versions={"GLIBC": (2, 38)}), on="python3.13/x86_64")
    assert finding.hint == "take a version whose wheel is manylinux_2_34 or older"


def test_a_newer_libstdcxx() -> None:
    needs = {"needed": ("libstdc++.so.6",), "versions": {"GLIBCXX": (3, 4, 26)}}
    (finding,) = check(library("a.so", **needs), on="python3.11/x86_64")
    assert finding.code == "needs-newer-libstdcxx"
    assert "GLIBCXX_3.4.26 of libstdc++, python3.11 has GLIBCXX_3.4.24" in finding.message
    own = library("pkg.libs/libstdc++.so.6")
    bundled = library("pkg/a.so", search_path=("$ORIGIN/../pkg.libs",), **needs)
    assert check(bundled, own, on="python3.11/x86_64") == []


def test_wrong_machines_are_one_finding_for_each_folder() -> None:
    wrong = [library(f"pkg/m{n}.so", machine="aarch64") for n in range(3)]
    (finding,) = check(*wrong)
    assert (finding.code, finding.level) == ("wrong-machine", "error")
    assert finding.message == (
        "`pkg/m0.so` (and 2 more) is for aarch64 (64 bit), python3.13/x86_64 needs x86_64"
    )
    (finding,) = check(library("pkg/m.so", bits=32, machine="i686"))
    assert "i686 (32 bit)" in finding.message


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("tool/rapid/server-arm64", "note"),
        ("pkg/lib_aarch64.so", "note"),
        ("pkg/m.cpython-313-aarch64-linux-gnu.so", "error"),
        ("pkg/m.so", "error"),
        ("pkg/arm64ish.so", "error"),
    ],
)
def test_a_file_that_names_its_machine_is_a_choice(path: str, level: str) -> None:
    assert [f.level for f in check(library(path, machine="aarch64"))] == [level]


def test_missing_libraries_are_told_once_with_what_to_do() -> None:
    faulty = [
        library("cv2/cv2.abi3.so", needed=("libGL.so.1", "libc.so.6")),
        library("opencv_python.libs/libQt.so", needed=("libX11.so.6", "libGL.so.1")),
    ]
    (finding,) = check(*faulty)
    assert (finding.code, finding.level) == ("missing-library", "error")
    assert finding.message == (
        "`cv2/cv2.abi3.so` (and 1 more) needs `libGL.so.1`, `libX11.so.6`, "
        "which neither the bundle nor python3.13/x86_64 has"
    )
    assert finding.hint == "require opencv-python-headless in place of opencv-python"
    assert "opencv_python.libs/libQt.so needs libX11.so.6" in finding.details


def test_distributions_are_told_apart() -> None:
    found = check(
        library("gbm/lib.so", needed=("libgomp.so.1",)),
        library("geo.libs/libgdal.so", needed=("libexpat.so.1",)),
        library("pkg/musl.so", needed=("libc.musl-x86_64.so.1",)),
    )
    assert [finding.path for finding in found] == [
        "gbm/lib.so",
        "geo.libs/libgdal.so",
        "pkg/musl.so",
    ]
    assert "put `libgomp.so.1` into a folder `lib`" in str(found[0].hint)
    assert "manylinux" in str(found[2].hint)
    # Amazon Linux 2 has libexpat.
    assert check(library("a.so", needed=("libexpat.so.1",)), on="python3.11/arm64") != []
    arm = library("a.so", needed=("libexpat.so.1",), machine="aarch64")
    assert check(arm, on="python3.11/arm64") == []


def test_many_names_are_cut() -> None:
    (finding,) = check(library("a.so", needed=tuple(f"lib{n:02}.so" for n in range(11))))
    assert "`lib07.so` and 3 others, which" in finding.message
    assert len(finding.details) == 11


def test_a_library_the_loader_does_not_reach_is_a_warning() -> None:
    found = check(library("pkg/a.so", needed=("libb.so.1",)), library("pkg.libs/libb.so.1"))
    assert [(f.code, f.level) for f in found] == [("unreachable-library", "warning")]
    assert "`pkg.libs/libb.so.1`" in found[0].message


def test_a_library_of_the_wrong_machine_is_no_help() -> None:
    found = check(
        library("pkg/a.so", needed=("libb.so.1",), search_path=("$ORIGIN",)),
        library("pkg/libb.so.1", machine="aarch64"),
    )
    assert [finding.code for finding in found] == ["wrong-machine", "missing-library"]


def test_programs_fail_only_when_started() -> None:
    program = library(
        "bin/tool",
        interpreter="/lib64/ld-linux-x86-64.so.2",
        needed=("libGL.so.1",),
        versions={"GLIBC": (2, 38)},
    )
    assert {finding.level for finding in check(program)} == {"warning"}


def test_optional_files_are_notes_with_their_reason() -> None:
    tbb = library(
        "numba/np/ufunc/tbbpool.cpython-313-x86_64-linux-gnu.so", needed=("libtbb.so.12",)
    )
    (finding,) = check(tbb)
    assert (finding.level, finding.hint) == ("note", None)
    assert "threading layers" in finding.message
