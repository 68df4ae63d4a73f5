"""The closure check against the loader itself: both must say the same of real libraries."""

import os
import platform
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.bundles import compile_library, system_of
from support.fixture_wheels import CHECKOUT

from packager.verify.bundle_view import folder_view
from packager.verify.closure import Loader
from packager.verify.libraries import read_libraries

CASES = tomllib.loads((CHECKOUT / "tests/cases/verify/closure.toml").read_text())["case"]
HERE = "x86_64" if platform.machine() == "x86_64" else "arm64"


def compile_all(task: Path, stubs: Path, libraries: list[dict[str, Any]]) -> None:
    """Compile the libraries; they are linked against stubs that have only the right sonames."""
    for needed in {name for library in libraries for name in library.get("needs", ())}:
        compile_library(stubs / needed, f"-Wl,-soname,{needed}")
    for library in libraries:
        path = task / library["path"]
        options = [f"-Wl,-soname,{library.get('soname', path.name)}", "-Wl,--no-as-needed"]
        for kind, flag in (("rpath", "--disable-new-dtags"), ("runpath", "--enable-new-dtags")):
            if kind in library:
                options += [f"-Wl,{flag}", f"-Wl,-rpath,{library[kind]}"]
        options += [str(stubs / needed) for needed in library.get("needs", ())]
        compile_library(path, *options)


def loads(task: Path, library: str) -> bool:
    """Ask the real loader."""
    code = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(task / library)],
        env={**os.environ, "LD_LIBRARY_PATH": f"{task}:{task}/lib"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or "cannot open shared object file" in done.stderr, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_says_what_the_loader_says(case: dict[str, Any], tmp_path: Path) -> None:
    task = tmp_path / "task"
    compile_all(task, tmp_path / "stubs", case["libraries"])
    libraries, damaged = read_libraries(folder_view(task))
    assert damaged == []
    assert len(libraries) == len(case["libraries"])
    found = [
        f"{fault.needing.path} {fault.soname}{' elsewhere' if fault.elsewhere else ''}"
        for fault in Loader(libraries, system_of(f"python3.13/{HERE}")).unresolved()
    ]
    assert found == case["missing"]
    assert loads(task, case["libraries"][0]["path"]) == (case["missing"] == [])


def test_the_system_comes_before_the_task_folder_but_not_before_rpath(tmp_path: Path) -> None:
    stub = tmp_path / "libstdc++.so.6"
    compile_library(stub, "-Wl,-soname,libstdc++.so.6")
    for name, flag in (("old", "--disable-new-dtags"), ("new", "--enable-new-dtags")):
        options = (f"-Wl,{flag}", "-Wl,-rpath,$ORIGIN/libs", "-Wl,--no-as-needed", str(stub))
        compile_library(tmp_path / f"task/{name}.so", *options)
    compile_library(tmp_path / "task/libs/libstdc++.so.6", "-Wl,-soname,libstdc++.so.6")
    libraries, _ = read_libraries(folder_view(tmp_path / "task"))
    loader = Loader(libraries, system_of(f"python3.13/{HERE}"))
    uses = {each.path: loader.uses_system(each, "libstdc++.so.6") for each in libraries}
    assert (uses["old.so"], uses["new.so"]) == (False, True)
