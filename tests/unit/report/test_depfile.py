"""Names that make has a meaning for, held against make itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from packager.report.depfile import is_sayable, render_depfile

NAMES = [
    "plain.py", "with space.py", "do$lar.py", "ha#sh.py", "per%cent.py", "col:on.py", "st*r.py",
    "q?.py", "br[a].py", "~tilde.py", "back\\slash.py", "b\\ s.py", "größe.py", "a=b.py",
    "amp&.py", "quote'.py", 'dq".py', "(paren).py", "a\\#b", "-dash.py", ",comma.py", "a\\%b.py",
    "$(shell false).py", "a\\\\ b", "x: y",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_understands_every_name(tmp_path: Path) -> None:
    assert all(map(is_sayable, NAMES))
    for name in NAMES:
        (tmp_path / name).write_text("")
    (tmp_path / "Makefile").write_text("out: ; @echo built; touch out\n-include out.d\n")
    (tmp_path / "out.d").write_text(render_depfile("out", NAMES))
    assert _make(tmp_path) == "built"
    assert "up to date" in _make(tmp_path)
    for name in NAMES:
        newest = (tmp_path / "out").stat().st_mtime_ns + 1_000_000
        os.utime(tmp_path / name, ns=(newest, newest))
        assert _make(tmp_path) == "built", f"{name!r} was changed"
        assert "up to date" in _make(tmp_path)
    for name in NAMES:
        (tmp_path / name).unlink()
    assert _make(tmp_path) == "built"


def test_what_make_cannot_be_told_is_left_out() -> None:
    odd = ["line\nbreak", "a;b", "a|b", "end\\", "ta\tb", "a(b)"]
    assert not any(map(is_sayable, odd))
    assert render_depfile("out", [*odd, "fine", "fine"]) == "out: \\\n  fine\n\nfine:\n"


def _make(folder: Path) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
