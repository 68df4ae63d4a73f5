"""The system part of a target, put together from the data files."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from packager.model.runtime_system import RuntimeSystem
from packager.model.target import Target
from packager.runtime.sonames import glibc_by_runtime, system_library_versions, system_sonames

_STANDARD_LIBRARY = Path(__file__).parent / "data" / "standard-library.toml"


def load_runtime_system(target: Target) -> RuntimeSystem:
    """Return what a function on `target` finds besides its own files."""
    data = _standard_library()
    return RuntimeSystem(
        target=target,
        sonames=system_sonames(target.runtime, target.architecture),
        symbol_versions=system_library_versions(target.runtime),
        glibc_by_runtime=glibc_by_runtime(),
        standard_library=standard_library(target.python),
        loaded_before=frozenset(data["loaded-before"]["names"].split()),
        runtime_imports=frozenset(data["runtime-imports"]["names"].split()),
    )


def standard_library(python: tuple[int, int]) -> frozenset[str]:
    """Return the top-level modules of Python `python` on Linux.

    Raises KeyError for a version that no runtime has.
    """
    names = _standard_library()["names"]
    return frozenset([*names["every"].split(), *names[f"{python[0]}.{python[1]}"].split()])


@cache
def _standard_library() -> dict[str, Any]:
    with _STANDARD_LIBRARY.open("rb") as stream:
        return tomllib.load(stream)
