"""Two file maps held against each other. Pure."""

import stat
from typing import NamedTuple

from packager.reference.file_map import FileFact, FileMap


class Difference(NamedTuple):
    """One file that is not as it has to be, with the sentence that says so."""

    path: str
    kind: str
    text: str


def differences(expected: FileMap, shipped: FileMap) -> list[Difference]:
    """Name every file of which `shipped` has another form than `expected`; order does not count."""
    found = [Difference(name, "repeated", "is there more than once") for name in shipped.repeated]
    for name in sorted({*expected.files, *shipped.files}):
        wanted, seen = expected.files.get(name), shipped.files.get(name)
        if seen is None:
            found.append(Difference(name, "missing", "is missing"))
        elif wanted is None:
            found.append(Difference(name, "extra", "comes from no wheel and no file of yours"))
        else:
            found.extend(of_file(name, wanted, seen))
    return found


def in_order(expected: FileMap, shipped: FileMap) -> bool:
    """Tell whether both have their files in one order."""
    return [*expected.files] == [*shipped.files]


def of_file(name: str, wanted: FileFact, seen: FileFact) -> list[Difference]:
    """Say in what `seen` differs from `wanted`."""
    found = []
    if wanted.sha256 != seen.sha256:
        text = f"has other bytes: {_short(seen.sha256)} instead of {_short(wanted.sha256)}"
        found.append(Difference(name, "bytes", text))
    if wanted.mode != seen.mode:
        text = f"has the mode {_mode(seen.mode)} instead of {_mode(wanted.mode)}"
        found.append(Difference(name, "mode", text))
    return found


def _short(digest: str) -> str:
    return digest if " " in digest else f"sha256 {digest[:16]}…"


def _mode(mode: int) -> str:
    return f"{stat.S_IMODE(mode):04o}" if stat.S_ISREG(mode) else stat.filemode(mode)
