import sys

import pytest

from packager.runtime.system import load_runtime_system, standard_library
from packager.runtime.targets import load_target, runtime_names

ELSEWHERE = {"msvcrt", "nt", "winreg", "winsound", "msilib", "xxsubtype"}


def test_agrees_with_the_interpreter_that_runs_this() -> None:
    python = (sys.version_info[0], sys.version_info[1])
    if f"python{python[0]}.{python[1]}" not in runtime_names():
        pytest.skip("no runtime has this Python")
    own = {name for name in sys.stdlib_module_names if not name.startswith("_")} - ELSEWHERE
    known = {name for name in standard_library(python) if not name.startswith("_")}
    assert known == own


@pytest.mark.parametrize("runtime", runtime_names())
def test_every_runtime_has_its_modules(runtime: str) -> None:
    system = load_runtime_system(load_target(runtime, "arm64"))
    assert {"json", "logging", "os", "asyncio"} <= system.standard_library
    assert ("distutils" in system.standard_library) == (system.target.python < (3, 12))
    assert ("tomllib" in system.standard_library) == (system.target.python >= (3, 11))
    assert ("compression" in system.standard_library) == (system.target.python >= (3, 14))
    assert not system.standard_library & ELSEWHERE
    assert {"sys", "time", "os"} <= system.loaded_before
    assert "json" in system.runtime_imports
    assert not system.loaded_before & system.runtime_imports


def test_what_is_loaded_before_is_so_here() -> None:
    system = load_runtime_system(load_target("python3.13", "x86_64"))
    assert {name for name in system.loaded_before if not name.startswith("_")} <= (
        set(sys.modules) | set(sys.builtin_module_names)
    )
