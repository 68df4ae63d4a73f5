"""The CPythons of this machine, for what runs under the target's and not under lpack's.

python -m support.interpreters 3.12     prints where it is, exit code 1 when it is not
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSIONS = ((3, 9), (3, 10), (3, 11), (3, 12), (3, 13), (3, 14))


@functools.cache
def interpreter(python: tuple[int, int]) -> Path | None:
    """An executable of the minor version `python`, the one that runs the tests if it fits."""
    for candidate in _candidates(python):
        code = "import sys; print(*sys.version_info[:2], sys.version_info.releaselevel)"
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if done.stdout.split() == [*map(str, python), "final"]:
            return Path(candidate)
    return None


def _candidates(python: tuple[int, int]) -> Iterator[str]:
    name = f"python{python[0]}.{python[1]}"
    if sys.version_info[:2] == python:
        yield sys.executable
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found:
            yield found
    pyenv = shutil.which("pyenv")
    if pyenv:
        done = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        version = name.removeprefix("python")
        yield from map(str, Path(done.stdout.strip(), "versions").glob(f"{version}.*/bin/{name}"))


if __name__ == "__main__":
    major, _, minor = sys.argv[1].partition(".")
    print(found := interpreter((int(major), int(minor))) or "")
    sys.exit(not found)
