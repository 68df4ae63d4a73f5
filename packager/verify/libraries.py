"""The native libraries and programs of a bundle, read one at a time."""

import io
from dataclasses import dataclass

from packager.model.finding import Finding
from packager.verify.bundle_view import BundleFile, BundleView, is_symlink
from packager.verify.elf import BrokenElf, ElfFacts, read_elf

_MAGIC = b"\x7fELF"
_OTHER_PROCESSORS = frozenset({"EM_BPF", "EM_CUDA", "EM_AMDGPU"})
"""Code that the kernel or a graphics card runs; the dynamic loader never sees it."""

_LARGEST_BYTES = 262_144_000
"""A larger file cannot be in a function anyway (the limit on all files together)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """An ELF file that the dynamic loader or the kernel may be asked to load."""

    path: str
    facts: ElfFacts

    @property
    def is_program(self) -> bool:
        """Tell whether it is started, not loaded."""
        return self.facts.file_type == "ET_EXEC" or (
            self.facts.interpreter is not None and self.facts.soname is None
        )


def read_libraries(view: BundleView) -> tuple[list[Library], list[Finding]]:
    """Return the native files of `view`, and what is wrong with those that cannot be read."""
    libraries: list[Library] = []
    findings: list[Finding] = []
    for file in view:
        if is_symlink(file):
            continue
        try:
            facts = _read(file)
        except BrokenElf as error:
            reason = f"`{file.name}` is a damaged native library: {error}"
            findings.append(_damaged(file, "broken-library", reason))
            continue
        except OSError as error:
            findings.append(_damaged(file, "unreadable-file", f"`{file.name}`: {error}"))
            continue
        if facts is not None and is_loaded(facts):
            libraries.append(Library(path=file.name, facts=facts))
    return libraries, findings


def _read(file: BundleFile) -> ElfFacts | None:
    if file.uncompressed_bytes > _LARGEST_BYTES or file.read(len(_MAGIC)) != _MAGIC:
        return None
    return read_elf(io.BytesIO(file.read()))


def is_loaded(facts: ElfFacts) -> bool:
    """Tell files for the loader from object files and code for other processors."""
    return facts.file_type in {"ET_DYN", "ET_EXEC"} and facts.machine not in _OTHER_PROCESSORS


def _damaged(file: BundleFile, code: str, message: str) -> Finding:
    return Finding(
        code=code, level="error", path=file.name, message=message, hint="build or fetch it anew"
    )
