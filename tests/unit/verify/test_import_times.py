import subprocess
import sys
from pathlib import Path

import pytest

from packager.verify.import_times import is_import_line, module_times

LINES = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |     lib.deep
import time:       200 |        300 |   other
import time:        50 |         50 |     lib.more
import time:       400 |        750 | lib
function's own line
import time:        30 |         30 | lib.late
""".splitlines()


def test_times_add_up_by_top_level_module() -> None:
    times = {t.name: t for t in module_times(LINES, module="app.main", total_ms=1.0)}
    assert set(times) == {"lib", "other", "app"}
    lib = times["lib"]
    assert (lib.self_ms, lib.modules) == (0.58, 4)
    assert lib.cumulative_ms == 0.78, "what is below its own importer counts once"
    assert (times["other"].self_ms, times["other"].cumulative_ms) == (0.2, 0.3)
    assert times["app"].self_ms == pytest.approx(0.22)
    assert times["app"].cumulative_ms == 1.0
    assert sum(t.self_ms for t in times.values()) == pytest.approx(1.0)


def test_the_most_expensive_comes_first() -> None:
    names = [t.name for t in module_times(LINES, module="app", total_ms=1.0)]
    assert names == ["lib", "app", "other"]


def test_no_lines_are_no_trouble() -> None:
    [only] = module_times([], module="app", total_ms=5.0)
    assert (only.name, only.self_ms, only.cumulative_ms) == ("app", 5.0, 5.0)


def test_only_python_s_lines_are_taken() -> None:
    assert [is_import_line(line) for line in LINES] == [True] * 5 + [False, True]
    assert not is_import_line("import time: none of your business")


def test_what_this_python_writes_is_understood(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/__init__.py").write_text("import pack.inner\n")
    (tmp_path / "pack/inner.py").write_text("import time\ntime.sleep(0.05)\n")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import pack"
    done = subprocess.run(
        [sys.executable, "-S", "-X", "importtime", "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if is_import_line(line)]
    assert lines == done.stderr.splitlines()
    [pack] = [t for t in module_times(lines, module="x", total_ms=0) if t.name == "pack"]
    assert pack.modules == 2
    assert pack.self_ms >= 50
    assert pack.self_ms == pytest.approx(pack.cumulative_ms, rel=0.5)
