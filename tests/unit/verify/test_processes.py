import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from packager.errors import CannotBuild
from packager.verify.processes import Child, signal_name


def start(code: str, folder: Path, lines: list[str]) -> Child:
    return Child([sys.executable, "-c", code], cwd=folder, environment={}, on_line=lines.append)


def test_lines_of_both_streams_arrive(tmp_path: Path) -> None:
    lines: list[str] = []
    code = (
        "import os, sys\nos.write(1, b'a\\xc2\\xa0b\\rsecond\\n')\n"
        "os.write(2, b'\\xff last, without an end')\nsys.exit(3)"
    )
    with start(code, tmp_path, lines) as child:
        assert child.wait(20) == 3
    assert lines == ["a b", "second", "\\xff last, without an end"]


def test_the_whole_group_ends(tmp_path: Path) -> None:
    lines: list[str] = []
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pid = os.fork()\n"
        "if pid: print(pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    began = time.monotonic()
    with start(code, tmp_path, lines) as child:
        while not lines:
            assert child.wait(0.05) is None
    assert time.monotonic() - began < 20
    grandchild = int(lines[0])
    for _ in range(100):
        with suppress(ProcessLookupError):
            os.kill(grandchild, 0)
            if "Z" in Path(f"/proc/{grandchild}/stat").read_text().split()[2]:
                break
            time.sleep(0.05)
            continue
        break
    else:
        pytest.fail("the grandchild lives on")


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="cannot run `"):
        Child([str(tmp_path / "no")], cwd=tmp_path, environment={}, on_line=print)


def test_signals_have_names() -> None:
    assert signal_name(-signal.SIGSEGV) == "SIGSEGV"
    assert signal_name(-199) == "signal 199"
    assert signal_name(0) == signal_name(9) == ""
