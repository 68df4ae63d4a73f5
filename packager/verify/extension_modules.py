"""Extension modules whose file name the target's Python does not look for. Pure.

The names are those of PEP 3149 (`m.cpython-313-x86_64-linux-gnu.so`) and of the stable ABI
(`m.abi3.so`); a plain `m.so` is taken by every version.
"""

import re
from collections.abc import Collection, Iterator

from packager.model.finding import Finding
from packager.model.finding_code import Level
from packager.model.target import Target
from packager.verify.grouping import Grouped

_TAGGED = re.compile(
    r"(?P<module>.+?)\.(?:cpython-(?P<version>\d{2,3})(?P<flags>[a-z]*)(?:-(?P<platform>.+))?"
    r"|(?P<other>pypy\d+.*|graalpy\d+.*|cp\d+-win.*))\.(?:so|pyd)"
)


def importable_suffixes(target: Target) -> tuple[str, ...]:
    """Return what an extension module's file name may end in, as the target's Python tries it."""
    version = f"{target.python[0]}{target.python[1]}"
    return (f".cpython-{version}-{target.machine}-linux-gnu.so", ".abi3.so", ".so")


def check_extension_modules(
    names: Collection[str], target: Target, *, reported: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield the extension modules that cannot be imported on `target`.

    Those in `reported` have a worse fault already, and are passed over.
    """
    suffixes = importable_suffixes(target)
    grouped = Grouped()
    present = frozenset(names)
    for name in names:
        match = _TAGGED.fullmatch(name)
        if match is None or name in reported or name.endswith(suffixes[0]):
            continue
        module = match["module"]
        if any(module + suffix in present for suffix in suffixes):
            continue
        level: Level = "warning" if f"{module}.py" in present else "error"
        predicate = f"{_built_for(match, target)}: {target.runtime} does not look for such a file"
        hint = f"take the wheel for cp{target.python[0]}{target.python[1]} on {target.machine}"
        grouped.add("wrong-python-abi", level, name, predicate, hint=hint)
    yield from grouped.findings()


def _built_for(match: re.Match[str], target: Target) -> str:
    """Say what the file is built for, as far as that differs from the target."""
    if match["other"]:
        return f"is built for {match['other']}"
    version = f"{match['version'][0]}.{match['version'][1:]}"
    if match["flags"] == "t":
        version += " without the global lock"
    if match["flags"] or match["version"] != f"{target.python[0]}{target.python[1]}":
        return f"is built for Python {version}"
    platform = match["platform"] or "an unnamed platform"
    return f"is built for {platform}"
