"""The native libraries a function finds on its runtime: dated data, as values."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.runtime.targets import load_target, runtime_names

_DATA = Path(__file__).parent / "data"


@cache
def system_sonames(runtime: str, architecture: str) -> frozenset[str]:
    """Return the file names of the libraries the dynamic loader finds besides the function's own.

    That is /lib64 of the runtime's operating system, the loader itself, and the interpreter's own
    library in /var/lang/lib. Raises UsageError for a runtime or an architecture that is unknown.
    """
    target = load_target(runtime, architecture)
    data = _system_libraries()
    listing = _DATA / "sonames" / f"{_operating_system(runtime)}-{target.architecture}.txt"
    lines = listing.read_text(encoding="utf-8").splitlines()
    names = {line for line in lines if line and not line.startswith("#")}
    python = f"{target.python[0]}.{target.python[1]}"
    names.add(data["interpreter"]["soname"].format(python=python))
    names.add(data["loader"][target.architecture])
    return frozenset(names)


def system_library_versions(runtime: str) -> dict[str, tuple[int, ...]]:
    """Return the highest symbol version the system's libraries have, by family.

    The families are `GLIBC` (libc), `GLIBCXX` and `CXXABI` (both libstdc++).
    """
    facts = _system_libraries()["operating-systems"][_operating_system(runtime)]
    return {
        "GLIBC": glibc_by_runtime()[runtime],
        "GLIBCXX": tuple(facts["GLIBCXX"]),
        "CXXABI": tuple(facts["CXXABI"]),
    }


def glibc_by_runtime() -> dict[str, tuple[int, ...]]:
    """Return the glibc version of every runtime, oldest runtime first."""
    systems = _targets()["operating-systems"]
    return {name: tuple(systems[_operating_system(name)]["glibc"]) for name in runtime_names()}


def _operating_system(runtime: str) -> str:
    """Return the key of the runtime's operating system, such as `al2023`."""
    runtimes = _targets()["runtimes"]
    if runtime not in runtimes:
        raise UsageError(f"unknown runtime `{runtime}`", hint=f"known: {', '.join(runtimes)}")
    name: str = runtimes[runtime]["operating-system"]
    return name


@cache
def _targets() -> dict[str, Any]:
    return _load("targets.toml")


@cache
def _system_libraries() -> dict[str, Any]:
    return _load("system-libraries.toml")


def _load(name: str) -> dict[str, Any]:
    with (_DATA / name).open("rb") as stream:
        return tomllib.load(stream)
