"""Finding an interpreter on this machine that can stand in for the runtime's.

It must have the target's minor version and processor and be an ordinary CPython on glibc: only
then do the target's extension modules load. Nothing is downloaded.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packager.model.target import Target
from packager.parsing import parse_json

_PROBE_SECONDS = 15
_PROBE = """
import json, platform, sys, sysconfig
variable = sysconfig.get_config_var
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "implementation": sys.implementation.name,
    "machine": platform.machine(),
    "system": platform.system(),
    "abi": variable("SOABI") or "",
    "free_threaded": bool(variable("Py_GIL_DISABLED")),
    "executable": getattr(sys, "_base_executable", "") or sys.executable,
    "libpython_folder": variable("LIBDIR") if variable("Py_ENABLE_SHARED") else None,
}))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """A Python that can run the target's code: no virtual environment but what lies below it.

    `libpython_folder` is where its libpython is, when it has one of its own.
    """

    executable: str
    version: str
    libpython_folder: str | None = None


def can_run_here(target: Target) -> bool:
    """Tell whether this machine has the target's processor and a Linux."""
    return platform.system() == "Linux" and platform.machine() == target.machine


def this_machine() -> str:
    """Name this machine in the words of wheel tags: `linux aarch64`."""
    return f"{platform.system().lower()} {platform.machine()}"


def find_interpreter(target: Target) -> Interpreter | None:
    """Return the first interpreter that fits: lpack's own, PATH, pyenv, uv; None without one."""
    seen: set[str] = set()
    for candidate in _candidates(target.python):
        if candidate not in seen:
            seen.add(candidate)
            found = _probe(candidate, target)
            if found is not None:
                return found
    return None


def _candidates(python: tuple[int, int]) -> Iterator[str]:
    """Yield executables that may be the right one, the cheapest to find first."""
    name = f"python{python[0]}.{python[1]}"
    if sys.version_info[:2] == python:
        yield sys.executable
    for folder in os.get_exec_path():
        on_path = shutil.which(name, path=folder)
        if on_path is not None:
            yield on_path
    yield from _of_pyenv(name)
    yield from _of_uv(python)


def _of_pyenv(name: str) -> Iterator[str]:
    """Yield what pyenv has installed, newest first; its shims fail for what is not chosen."""
    pyenv = shutil.which("pyenv")
    root = _answer([pyenv, "root"]) if pyenv else ""
    if root:
        version = name.removeprefix("python")
        installed = Path(root, "versions").glob(f"{version}.*/bin/{name}")
        yield from map(str, sorted(installed, key=_patch, reverse=True))


def _patch(executable: Path) -> int:
    """Return the number after the last dot of the version, which is the folder's name."""
    digits = executable.parents[1].name.rpartition(".")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else -1


def _of_uv(python: tuple[int, int]) -> Iterator[str]:
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    uv = beside or shutil.which("uv")
    if uv:
        wanted = f"cpython@{python[0]}.{python[1]}"
        found = _answer([uv, "python", "find", "--no-config", "--no-python-downloads", wanted])
        if found:
            yield found


def _probe(candidate: str, target: Target) -> Interpreter | None:
    """Ask the candidate what it is; None when it does not fit or does not even run."""
    text = _answer([candidate, "-I", "-S", "-c", _PROBE])
    try:
        facts = parse_json(text)
    except ValueError:
        return None
    fits = (
        tuple(facts["version"][:2]) == target.python
        and facts["implementation"] == "cpython"
        and facts["machine"] == target.machine
        and facts["system"] == "Linux"
        and "musl" not in facts["abi"]
        and not facts["free_threaded"]
    )
    if not fits:
        return None
    return Interpreter(
        executable=facts["executable"],
        version=".".join(map(str, facts["version"])),
        libpython_folder=facts["libpython_folder"],
    )


def _answer(command: list[str]) -> str:
    """Return what a program prints, empty when it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_PROBE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
