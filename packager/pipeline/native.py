"""The native files of an artifact against the runtime: the checks of `lpack verify`, in haste."""

import struct
from collections.abc import Iterator, Mapping
from functools import partial

from packager.inspect.codes import BY_NAME, advise
from packager.model.advice import Advice
from packager.model.finding import Finding
from packager.model.found import FoundFile
from packager.pipeline.inspection import Inspection
from packager.runtime.system import load_runtime_system
from packager.verify.bundle_view import BundleFile
from packager.verify.elf import BrokenElf, ElfFacts, read_elf
from packager.verify.extension_modules import check_extension_modules
from packager.verify.libraries import Library, is_loaded
from packager.verify.native import check_native
from packager.verify.shadowing import check_shadowing
from packager.verify.start_files import check_start_files

_MAGIC = b"\x7fELF"
_HEAD_BYTES = 20
_MACHINES = {62: "x86_64", 183: "aarch64", 3: "i686", 40: "armv7l", 22: "s390x", 243: "riscv64"}
_TYPES = {2: "ET_EXEC", 3: "ET_DYN"}
_MOST_READ_BYTES = 48 << 20
_MOST_READ_FILES = 60
"""What can be inflated and read within half a second; above, only heads are looked at."""

_NEVER_NATIVE = (
    ".py", ".pyi", ".pyc", ".json", ".txt", ".gz", ".h", ".csv", ".md", ".html", ".js", ".css",
    ".pem", ".xml", ".yaml", ".yml", ".toml", ".rst", ".pyx", ".pxd", ".parquet", ".png",
)  # fmt: skip


def find_native(inspection: Inspection, *, deep: bool) -> Iterator[Advice]:
    """Yield what keeps files from being loaded on the target, and modules that shadow others.

    Without `deep`, an artifact with many native files has only their heads read: the machine, not
    what they need.
    """
    root = _root(inspection)
    native = list(native_files(inspection))
    total = sum(file.uncompressed_bytes for file, _ in native)
    whole = deep or (total <= _MOST_READ_BYTES and len(native) <= _MOST_READ_FILES)
    if inspection.opened.found.kind == "image" and not deep:
        whole = False
    libraries: list[Library] = []
    for file, head in native:
        name = file.path.removeprefix(root)
        try:
            facts = _read(inspection, file) if whole else _facts_of_head(head)
        except BrokenElf as error:
            message = f"`{file.path}` is a damaged native library: {error}"
            yield _advice(Finding(code="broken-library", level="error", message=message), {})
            continue
        except OSError as error:
            message = f"`{file.path}`: {error}"
            yield _advice(Finding(code="unreadable-file", level="error", message=message), {})
            continue
        if facts is not None and is_loaded(facts):
            libraries.append(Library(path=name, facts=facts))
    yield from _findings(inspection, libraries, root)
    if not whole and native:
        yield _not_read(len(native), total)


def _root(inspection: Inspection) -> str:
    """Return the folder that Lambda sees as the function's own."""
    return "var/task/" if inspection.opened.found.kind == "image" else ""


def native_files(inspection: Inspection) -> Iterator[tuple[FoundFile, bytes]]:
    """Yield every ELF file with its first bytes."""
    for file in inspection.opened.found.files:
        if file.uncompressed_bytes < _HEAD_BYTES or file.path.endswith(_NEVER_NATIVE):
            continue
        try:
            head = inspection.opened.read(file, _HEAD_BYTES)
        except OSError:
            continue
        if head.startswith(_MAGIC):
            yield file, head


def _read(inspection: Inspection, file: FoundFile) -> ElfFacts | None:
    with inspection.opened.spool(file) as stream:
        return read_elf(stream)


def _facts_of_head(head: bytes) -> ElfFacts:
    """Read the class, the type and the machine (System V ABI, ELF header); nothing else."""
    order = "<" if head[5] == 1 else ">"
    kind, machine = struct.unpack_from(f"{order}2H", head, 16)
    return ElfFacts(
        bits=64 if head[4] == 2 else 32,
        machine=_MACHINES.get(machine, f"machine {machine}"),
        soname=None,
        needed=(),
        search_path=(),
        versions={},
        file_type=_TYPES.get(kind, "ET_REL"),
    )


def _findings(inspection: Inspection, libraries: list[Library], root: str) -> Iterator[Advice]:
    system = load_runtime_system(inspection.target)
    found = inspection.opened.found
    own: dict[str, FoundFile] = {file.path.removeprefix(root): file for file in found.files}
    top = _import_root(inspection)
    modules = {name.removeprefix(top): None for name in own if name.startswith(top)}
    wrong = {
        library.path
        for library in libraries
        if library.facts.machine != system.target.machine or library.facts.bits != 64
    }
    findings: list[Finding] = []
    if found.kind != "image":
        findings.extend(check_native(libraries, system))
    else:
        findings.extend(
            each for each in check_native(libraries, system) if each.code == "wrong-machine"
        )
    findings.extend(check_extension_modules(own, system.target, reported=wrong))
    if found.kind in {"zip", "folder"}:
        findings.extend(check_shadowing(modules, system))
        view = [
            BundleFile(name, None, file.uncompressed_bytes, partial(inspection.opened.read, file))
            for name, file in own.items()
            if name.endswith((".pth", ".start"))
        ]
        folders = [BundleFile(name, None, 0, bytes) for name in own if "/" in name]
        findings.extend(check_start_files([*view, *folders], system.target))
    owners = owners_by_path(inspection)
    for finding in findings:
        yield _advice(finding, owners, root)


def _import_root(inspection: Inspection) -> str:
    return "python/" if inspection.opened.found.kind == "layer" else ""


def owners_by_path(inspection: Inspection) -> dict[str, str]:
    """Return the distribution of each file that has one."""
    return {
        file.path: each.name for each in inspection.ownership.distributions for file in each.files
    }


def _advice(finding: Finding, owners: Mapping[str, str], root: str = "") -> Advice:
    path = root + finding.path if finding.path else ""
    return Advice(
        BY_NAME[finding.code].code,
        finding.level,
        finding.message,
        path=path,
        owner=owners.get(path, ""),
        hint=finding.hint,
        details=finding.details,
    )


def _not_read(count: int, total: int) -> Advice:
    return advise(
        "libraries-not-read",
        f"of {count:,} native files with {total:,} bytes only the heads were read: what they need "
        "of glibc and of each other is not known",
        hint="add --deep",
        cases=count,
    )
