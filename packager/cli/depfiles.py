"""`lpack build --depfile`: what make has to look at, written beside each artifact."""

import os
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG

from packager.assemble.output import atomic_output
from packager.report.depfile import render_depfile


def write_depfile(artifact: str, inputs: Iterable[str], *, started_ns: int) -> None:
    """Write `ARTIFACT.d` and date the artifact so that make is right about it.

    Folders are among the inputs: their dates tell of added, removed and renamed files. What is
    not there is left out, and tells of itself by the date of its folder. make runs where lpack
    runs, so that paths are seen from here.

    The artifact becomes newer than everything it depends on, unless a file was changed after
    `started_ns`, when the build may have read it already: then make has to build again.
    """
    here, seen, changed = os.getcwd(), dict[str, None](), False  # noqa: PTH109 -- texts all the way
    for path in inputs:
        try:
            status = os.stat(path)  # noqa: PTH116 -- thousands of them
        except OSError:
            path, status = os.path.dirname(path), None  # noqa: PLW2901, PTH120
        if status is not None and S_ISREG(status.st_mode):
            changed |= status.st_mtime_ns > started_ns
        if status is not None or os.path.exists(path):  # noqa: PTH110
            seen[_shown(path, here)] = None
    target = os.path.relpath(artifact)
    with atomic_output(Path(f"{artifact}.d")) as output:
        output.write(render_depfile(target, seen).encode("utf-8", "surrogateescape"))
    # Dated last: a folder that a listed one contains may have got its date from this build.
    if changed:
        os.utime(artifact, ns=(started_ns, started_ns))
    else:
        os.utime(artifact)


def _shown(path: str, here: str) -> str:
    inside = path.startswith(here + os.sep)
    return path[len(here) + 1 :] if inside else path
