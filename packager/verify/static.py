"""All checks of a bundle that run nothing of it: what is in the files, held against the target.

The dynamic part (importing the handler under AWS's own client) finds more, but needs an
interpreter of the target; this part needs only the bytes, and works for any target anywhere.
"""

from typing import get_args

from packager.model.finding import Finding
from packager.model.finding_code import Level
from packager.model.runtime_system import RuntimeSystem
from packager.verify.bundle_view import BundleView, importable
from packager.verify.extension_modules import check_extension_modules
from packager.verify.handler import check_handler
from packager.verify.libraries import read_libraries
from packager.verify.modes import check_modes
from packager.verify.native import check_native
from packager.verify.shadowing import check_shadowing
from packager.verify.start_files import check_start_files

_WORST_FIRST: tuple[Level, ...] = get_args(Level)


def static_findings(
    view: BundleView, system: RuntimeSystem, *, handler: str | None = None
) -> tuple[Finding, ...]:
    """Return what is to be said of the files in `view` on the target of `system`, worst first.

    `handler` is `MODULE.FUNCTION`; without it nothing is said of it. One native file at a time is
    held in memory.
    """
    names = dict.fromkeys(file.name for file in view)
    libraries, damaged = read_libraries(view)
    native = list(check_native(libraries, system))
    wrong = {
        library.path
        for library in libraries
        if library.facts.machine != system.target.machine or library.facts.bits != 64
    }
    seen = importable(view, system.target)
    modules = dict.fromkeys(file.name for file in seen)
    findings = [
        *(check_handler(modules, handler, system) if handler is not None else ()),
        *damaged,
        *native,
        *check_extension_modules(names, system.target, reported=wrong),
        *check_shadowing(modules, system),
        *check_start_files(seen, system.target),
        *check_modes(view, {library.path for library in libraries if library.is_program}),
    ]
    return tuple(sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.level)))
