"""What a function finds on a runtime besides its own files: libraries, Python's own modules."""

from collections.abc import Mapping
from dataclasses import dataclass

from packager.model.target import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeSystem:
    """The system part of a target, for static checks.

    `sonames` are the libraries the dynamic loader finds. `symbol_versions` maps a family of
    symbol versions (`GLIBC`, `GLIBCXX`, `CXXABI`) to the highest one the system has;
    `glibc_by_runtime` says the same of glibc for every runtime. `standard_library` are the
    top-level modules of Python itself; those in `loaded_before` are in memory before Python looks
    at the function's folder, those in `runtime_imports` are imported by AWS's client afterwards.
    """

    target: Target
    sonames: frozenset[str]
    symbol_versions: Mapping[str, tuple[int, ...]]
    glibc_by_runtime: Mapping[str, tuple[int, ...]]
    standard_library: frozenset[str]
    loaded_before: frozenset[str]
    runtime_imports: frozenset[str]
