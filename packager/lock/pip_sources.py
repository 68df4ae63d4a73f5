"""Telling pip what it may take as source, so that it tells itself the same.

To install the build requirements of a source distribution pip starts itself again, with
`--no-binary NAME` before `--only-binary :all:`, and there the second takes back the first (pip
26.3, `_internal/build_env/installer.py`). Options in a requirements file are read after those of
the command line, and a variable names that file to every pip that is started.
"""

from collections.abc import Iterable
from pathlib import Path

_FILE = "sources.txt"


def source_variables(named: Iterable[str], folder: Path) -> dict[str, str]:
    """Write which distributions pip takes from source alone, and return the variables for it.

    The file is in `folder` and must stay until pip has ended.
    """
    path = folder.absolute() / _FILE
    path.write_text("".join(f"--no-binary {name}\n" for name in sorted(named)), encoding="utf-8")
    # A URL, since pip splits the variable at spaces.
    return {"PIP_REQUIREMENT": path.as_uri()}
