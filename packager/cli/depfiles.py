"""`lpack build --depfile`: what make has to look at, written beside each artifact."""

import os
from collections.abc import Iterable
from pathlib import Path

from packager.assemble.output import atomic_output
from packager.report.depfile import render_depfile


def write_depfile(artifact: str, inputs: Iterable[str]) -> None:
    """Write `ARTIFACT.d` and make the artifact newer than everything it depends on.

    Folders are among the inputs: their dates tell of added, removed and renamed files. What is
    not there is left out, and tells of itself by the date of its folder. make runs where lpack
    runs, so that paths are seen from here.
    """
    here, seen = os.getcwd(), list[str]()  # noqa: PTH109 -- texts all the way
    for path in inputs:
        if os.path.exists(path):  # noqa: PTH110 -- thousands of them
            seen.append(_shown(path, here))
        else:
            seen.append(_shown(os.path.dirname(path), here))  # noqa: PTH120
    existing = [path for path in seen if path and os.path.exists(path)]  # noqa: PTH110
    target = os.path.relpath(artifact)
    with atomic_output(Path(f"{artifact}.d")) as output:
        output.write(render_depfile(target, existing).encode("utf-8", "surrogateescape"))
    # Written last: a folder that a listed one contains may have got its date from this build.
    os.utime(artifact)


def _shown(path: str, here: str) -> str:
    inside = path.startswith(here + os.sep)
    return path[len(here) + 1 :] if inside else path
