"""What `python -X importtime` writes, as milliseconds for each top-level module. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \|( +)(\S+)\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleTime:
    """What importing one top-level module and everything below it took, in milliseconds.

    `self_ms` is the time in its own modules; `cumulative_ms` includes what these imported first.
    The self times of all modules add up to the whole.
    """

    name: str
    self_ms: float
    cumulative_ms: float
    modules: int


def is_import_line(line: str) -> bool:
    """Tell whether `-X importtime` wrote this line."""
    return "import time:" in line and (
        _LINE.search(line) is not None or "cumulative | imported package" in line
    )


def module_times(lines: Iterable[str], *, module: str, total_ms: float) -> tuple[ModuleTime, ...]:
    """Sum up the lines by top-level module, the most expensive first.

    A module's line follows those of what it imported, which are indented by two more. Importing
    `module` took `total_ms` and has no line of its own, because `importlib.import_module` writes
    none: what the others leave is its own time.
    """
    found = [match for line in lines if (match := _LINE.search(line))]
    rows = [(int(m[1]), int(m[2]), len(m[3]), m[4].partition(".")[0]) for m in found]
    first = module.partition(".")[0]
    top_level = min((depth for _, _, depth, _ in rows), default=0)
    others_us = sum(whole_us for _, whole_us, depth, _ in rows if depth == top_level)
    own = {first: max(0, round(total_ms * 1000) - others_us)}
    whole = {first: round(total_ms * 1000)}
    counts = {first: 1}
    importers: list[tuple[int, str]] = []
    # Read backwards, an importer comes before what it imported.
    for self_us, cumulative_us, depth, top in reversed(rows):
        while importers and importers[-1][0] >= depth:
            importers.pop()
        own[top] = own.get(top, 0) + self_us
        counts[top] = counts.get(top, 0) + 1
        if top != first and all(name != top for _, name in importers):
            whole[top] = whole.get(top, 0) + cumulative_us
        importers.append((depth, top))
    times = [
        ModuleTime(
            name=top,
            self_ms=own[top] / 1000,
            cumulative_ms=whole.get(top, 0) / 1000,
            modules=counts[top],
        )
        for top in own
    ]
    return tuple(sorted(times, key=lambda time: (-time.self_ms, time.name)))
