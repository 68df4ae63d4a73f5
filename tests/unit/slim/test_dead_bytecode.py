import compileall
import os
import py_compile
import struct
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.fixture_wheels import CHECKOUT

from packager.slim.dead_bytecode import HEAD_BYTES, is_dead_bytecode

CASES = tomllib.loads((CHECKOUT / "tests/cases/prune/bytecode.toml").read_text())["case"]
EPOCH = 315_532_800


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    head = b""
    if "head" in case:
        values = case["head"]
        head = struct.pack("<H", values["magic"]) + b"\r\n"
        head += struct.pack("<3I", values["flags"], values["seconds"], values["size"])
    sizes = {case["path"]: 20}
    if "source" in case:
        sizes["demo/a.py"] = case["source"]
    dead = is_dead_bytecode(case["path"], head, sizes, python=case.get("python"))
    assert dead is case["dead"]


@pytest.mark.parametrize("mode", list(py_compile.PycInvalidationMode))
@pytest.mark.parametrize("seconds", [EPOCH, EPOCH + 1])
def test_what_is_kept_is_what_the_import_system_takes(
    tmp_path: Path, mode: py_compile.PycInvalidationMode, seconds: int
) -> None:
    source = tmp_path / "demo.py"
    source.write_text("VALUE = 1\n")
    os.utime(source, (seconds, seconds))
    compileall.compile_file(source, quiet=1, invalidation_mode=mode)
    [bytecode] = (tmp_path / "__pycache__").iterdir()
    os.utime(source, (EPOCH, EPOCH))  # the date of every file in a bundle
    command = [sys.executable, "-B", "-v", "-c", "import demo"]
    log = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stderr
    taken = any("code object from" in line and "demo.cpython" in line for line in log.splitlines())
    name = bytecode.relative_to(tmp_path).as_posix()
    sizes = {"demo.py": source.stat().st_size, name: bytecode.stat().st_size}
    python = f"3.{sys.version_info.minor}"
    head = bytecode.read_bytes()[:HEAD_BYTES]
    assert is_dead_bytecode(name, head, sizes, python=python) is not taken
