"""What may go into a zip, invented by hypothesis, and the zip of it as lpack writes one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st
from support.assembling import code_files, payload_with, records_of, written

from packager.assemble.reread import check_headers
from packager.model.canonical import EPOCH_STAMP, stamp_of

# Characters that are legal in file names on Linux and awkward somewhere: spaces, quotes, dashes
# at the front, letters outside ASCII and outside the first plane.
LETTERS = st.sampled_from(list("abcXYZ019_-+. ,'&()[]{}!@#$%^=~äß空🐍é"))
PARTS = st.text(LETTERS, min_size=1, max_size=9).filter(
    lambda part: part.strip(". ") == part and not part.startswith("-")
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join) | st.just("deep/" * 30 + "file.py")
BYTES = st.binary(max_size=300) | st.sampled_from([b"", b"x", b"VALUE = 1\n" * 500])
TREES = st.dictionaries(PATHS, BYTES, max_size=6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What goes into one zip."""

    payloads: tuple[Mapping[str, bytes], ...]
    code: Mapping[str, bytes]
    executables: frozenset[str]
    stamp: int


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Trees without a file beside its own folder, in no letter case either."""
    trees = draw(st.lists(TREES, min_size=1, max_size=3))
    code = draw(TREES)
    seen: dict[str, str] = {}
    for tree in [*trees, code]:
        for name in list(tree):
            parts = name.casefold().split("/")
            prefixes = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
            clash = name.casefold() in seen or any(seen.get(each) == "file" for each in prefixes)
            if clash or name.endswith((".pth", ".dist-info", ".data")):
                del tree[name]
                continue
            seen[name.casefold()] = "file"
            seen |= dict.fromkeys(prefixes, "folder")
    names = sorted({name for tree in [*trees, code] for name in tree})
    executables = draw(st.sets(st.sampled_from(names))) if names else set()
    stamp = draw(st.sampled_from([EPOCH_STAMP, stamp_of(1_700_000_000)]))
    return Plan(payloads=tuple(trees), code=code, executables=frozenset(executables), stamp=stamp)


def write(plan: Plan, folder: Path) -> tuple[Path, dict[str, tuple[str, int]]]:
    """Write the zip of `plan`; returns what every reader must find of the plan's own files."""
    payloads = [
        payload_with(folder, f"d{number}", tree, executables=plan.executables)
        for number, tree in enumerate(plan.payloads)
    ]
    code = code_files(folder / "src", plan.code, executables=plan.executables)
    artifact = written(folder / "a.zip", payloads, code, stamp=plan.stamp)
    check_headers(folder / "a.zip", records_of(artifact), stamp=plan.stamp)
    expected = {}
    for tree in (*plan.payloads, plan.code):
        for name, data in tree.items():
            mode = 0o755 if name in plan.executables else 0o644
            expected[name] = (hashlib.sha256(data).hexdigest(), mode)
    return folder / "a.zip", expected
