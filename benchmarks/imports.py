"""Times the import of each handler from its unpacked zip, with bytecode and without."""

import json
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sizes import DEFAULT, has_option, last_line, zip_of
from timing import ContenderFailedError
from workload import Bench

MB = 1_000_000
GOAL = 2.4
_OPTION = "--bytecode"
# Enough for all of it.
_BUDGET = "200 MiB"

# Isolated, without site-packages, writing no bytecode: nothing but the bundle is importable.
_FLAGS = ("-I", "-S", "-B")
_CODE = """\
import sys, time
sys.path.insert(0, sys.argv[1])
began = time.perf_counter()
import handler
print(time.perf_counter() - began)
"""


@dataclass(kw_only=True)
class ImportResult:
    """Seconds of each import of one workload's handler, and the bytes that bytecode costs."""

    workload: str
    without: list[float] = field(default_factory=list)
    with_bytecode: list[float] = field(default_factory=list)
    added_zip_bytes: int = 0
    added_uncompressed_bytes: int = 0

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return dict(vars(self))


@dataclass(kw_only=True)
class Imports:
    """All results of a run, and a line for each that could not be had."""

    results: list[ImportResult] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def measure_imports(bench: Bench, imports: Imports, *, rounds: int) -> None:
    """Unpack the default zip, and the one with bytecode when lpack can, and import in turn."""
    wanted = bench.target.partition("-")[0].removeprefix("python")
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if wanted != running:
        _skip(imports, f"import times: they need Python {wanted}, and this is {running}")
        return
    result = ImportResult(workload=bench.workload)
    plain = zip_of(bench, DEFAULT)
    if not plain.exists():
        bench.build("--target-dir", str(plain.parent))
    folders = [(_unpack(plain, bench.folder / "without"), result.without)]
    compiled = _with_bytecode(bench, imports)
    if compiled is not None:
        folders.append((_unpack(compiled, bench.folder / "with"), result.with_bytecode))
        result.added_zip_bytes = compiled.stat().st_size - plain.stat().st_size
        result.added_uncompressed_bytes = _unpacked_bytes(compiled) - _unpacked_bytes(plain)
    for number in range(rounds + 1):
        for folder, seconds in folders:
            once = _import_once(folder)
            # The first import brings the files into memory.
            if number:
                seconds.append(once)
    imports.results.append(result)


def _with_bytecode(bench: Bench, imports: Imports) -> Path | None:
    """Build with bytecode; None, with a line, when lpack cannot."""
    if not has_option("build", _OPTION):
        _skip(imports, f"imports with bytecode: `lpack build {_OPTION}` does not exist yet")
        return None
    folder = bench.project / "sizes" / "bytecode"
    try:
        bench.build("--target-dir", str(folder), _OPTION, _BUDGET)
    except ContenderFailedError as error:
        _skip(imports, f"{bench.workload} with bytecode: {last_line(error)}")
        return None
    return folder / f"{bench.workload}.zip"


def _skip(imports: Imports, line: str) -> None:
    if line not in imports.skipped:
        imports.skipped.append(line)


def _unpack(artifact: Path, folder: Path) -> Path:
    with zipfile.ZipFile(artifact) as opened:
        opened.extractall(folder)
    return folder


def _unpacked_bytes(artifact: Path) -> int:
    with zipfile.ZipFile(artifact) as opened:
        return sum(info.file_size for info in opened.infolist())


def _import_once(folder: Path) -> float:
    done = subprocess.run(
        [sys.executable, *_FLAGS, "-c", _CODE, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    if done.returncode:
        raise ContenderFailedError(f"import handler: {done.stderr[-2000:]}")
    seconds: float = json.loads(done.stdout.splitlines()[-1])
    return seconds


def render_imports(imports: Imports) -> list[str]:
    """Write the section about import times."""
    lines = [
        "## Import of the handler, seconds: median (min-max, runs)",
        "",
        f"| workload | without | with bytecode | ratio (≥ {GOAL}) | added MB | ms saved per MB |",
        "|---|--:|--:|--:|--:|--:|",
        *map(_row, imports.results),
        "",
        *(f"- Not measured: {line}" for line in imports.skipped),
    ]
    if imports.skipped:
        lines.append("")
    return [
        *lines,
        "Default zip, unpacked; `python -I -S -B`, files in the page cache. *Added*: zipped /",
        "unzipped; *saved* is per unzipped MB.",
        "",
    ]


def _row(result: ImportResult) -> str:
    cells = [result.workload, _spread(result.without)]
    if result.with_bytecode:
        before, after = map(statistics.median, (result.without, result.with_bytecode))
        added = result.added_uncompressed_bytes / MB
        ratio = f"{before / after:.2f}{' **missed**' if before / after < GOAL else ''}"
        saved = f"{(before - after) * 1000 / added:.0f}" if added else ""
        cells += [_spread(result.with_bytecode), ratio]
        cells += [f"{result.added_zip_bytes / MB:.2f} / {added:.2f}", saved]
    else:
        cells += [""] * 4
    return f"| {' | '.join(cells)} |"


def _spread(seconds: Sequence[float]) -> str:
    median = statistics.median(seconds)
    return f"{median:.3f} ({min(seconds):.3f}-{max(seconds):.3f}, {len(seconds)})"
