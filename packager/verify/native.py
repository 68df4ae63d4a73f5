"""Findings on native files: machine, symbol versions, and the libraries they need. Pure."""

import re
from collections.abc import Iterator, Sequence

from packager.model.finding import Finding
from packager.model.finding_code import Level
from packager.model.runtime_system import RuntimeSystem
from packager.verify.closure import Loader, Unresolved
from packager.verify.elf import glibc_violations
from packager.verify.grouping import Grouped
from packager.verify.libraries import Library
from packager.verify.missing import missing_libraries

_MACHINE_WORDS = {
    "x86_64": ("x86[_-]64", "amd64", "x64"),
    "aarch64": ("aarch64", "arm64"),
    "i686": ("i686", "i386", "x86(?!_64)", "ia32", "linux32"),
    "armv7l": ("armv7l?", "armhf", "arm"),
    "s390x": ("s390x",),
    "riscv64": ("riscv64",),
}
"""How files name the machine they are for, when they do, as regular expressions."""


def check_native(libraries: Sequence[Library], system: RuntimeSystem) -> Iterator[Finding]:
    """Yield what keeps `libraries` from being loaded on the target."""
    grouped = Grouped()
    loader = Loader(libraries, system)
    for library in libraries:
        if _is_for_target(library, system):
            _check_versions(library, loader, system, grouped)
        else:
            _check_machine(library, system, grouped)
    missing: list[Unresolved] = []
    for fault in loader.unresolved():
        if fault.elsewhere:
            _check_unreachable(fault, grouped)
        else:
            missing.append(fault)
    yield from grouped.findings()
    yield from missing_libraries(missing, system.target)


def _is_for_target(library: Library, system: RuntimeSystem) -> bool:
    return library.facts.bits == 64 and library.facts.machine == system.target.machine


def _check_machine(library: Library, system: RuntimeSystem, grouped: Grouped) -> None:
    """Report a file for another machine; one that says so in its name may be one of several."""
    name = library.path.lower()
    words = "|".join(_MACHINE_WORDS.get(library.facts.machine, ("(?!)",)))
    named = re.search(f"(?<![a-z0-9])({words})(?![a-z0-9])", name) is not None
    is_choice = named and ".cpython-" not in name
    level: Level = "note" if is_choice else "error"
    predicate = glibc_violations(library.facts, system.target)[0]
    hint = f"take the wheel for {system.target.machine}, or build for the other architecture"
    grouped.add("wrong-machine", level, library.path, predicate, hint=hint)


def _check_versions(
    library: Library, loader: Loader, system: RuntimeSystem, grouped: Grouped
) -> None:
    """Hold the symbol versions that are needed against those of the system's libraries."""
    level: Level = "warning" if library.is_program else "error"
    for predicate in glibc_violations(library.facts, system.target):
        needed = library.facts.versions["GLIBC"]
        grouped.add(
            "needs-newer-glibc", level, library.path, predicate, hint=_glibc_hint(needed, system)
        )
    if not loader.uses_system(library, "libstdc++.so.6"):
        return
    for family in ("GLIBCXX", "CXXABI"):
        needed, present = (
            versions.get(family, ())
            for versions in (library.facts.versions, system.symbol_versions)
        )
        if needed > present:
            predicate = (
                f"needs {family}_{_dotted(needed)} of libstdc++, "
                f"{system.target.runtime} has {family}_{_dotted(present)}"
            )
            hint = "take a manylinux wheel that fits, or one that brings its own libstdc++"
            grouped.add("needs-newer-libstdcxx", level, library.path, predicate, hint=hint)
            return


def _glibc_hint(needed: tuple[int, ...], system: RuntimeSystem) -> str:
    tag = "manylinux_{}_{}".format(*system.target.glibc)
    enough = [name for name, has in system.glibc_by_runtime.items() if has >= needed]
    if not enough:
        return f"take a version whose wheel is {tag} or older"
    return f"take a version whose wheel is {tag} or older, or use {enough[0]} or later"


def _check_unreachable(fault: Unresolved, grouped: Grouped) -> None:
    predicate = (
        f"needs `{fault.soname}`, which is in the bundle as `{fault.elsewhere}`, "
        "where the loader does not look for it"
    )
    hint = "it works only when something has loaded that file before: try it with lpack invoke"
    grouped.add("unreachable-library", "warning", fault.needing.path, predicate, hint=hint)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
