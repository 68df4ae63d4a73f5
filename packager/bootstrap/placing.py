"""What goes beside the user's code so that the bootstrap runs before it.

The handler setting stays as it is, and nothing depends on whether AWS's own start-up script reads
`.pth` files. Lambda imports the handler's module by name; the first file that this executes is
lpack's, and it puts the real module in its own place (`sys.modules`, as the import system allows):

- For a module `app.py` that is a package `app/__init__.py`, which the import system prefers to a
  module of the same folder. The user's file stays where it is and as it is.
- For a package with an `__init__.py` that file is renamed to `__init__.lpack.py`.
"""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from packager.errors import UsageError

BOOTSTRAP = "lpack_bootstrap.py"

_STUB = '''\
"""Written by lpack: `slim = "traced"` moved files, and this brings them back when they are missed.

The module of this name is `{origin}`.
"""

import lpack_bootstrap

lpack_bootstrap.begin(__name__, "{origin}", package={package})
'''


class BootstrapFiles(NamedTuple):
    """`added` are files as (archive name, contents); `renamed` maps names of the user's code."""

    added: tuple[tuple[str, bytes], ...]
    renamed: tuple[tuple[str, str], ...]


def bootstrap_files(handler: str, code: Collection[str]) -> BootstrapFiles:
    """Return what to add for `handler`; `code` are the archive names of the user's own files.

    Raises UsageError when the handler's module is not Python source of the user's own.
    """
    parts = handler.rpartition(".")[0].replace("/", ".").split(".")
    own = Path(__file__).with_name(BOOTSTRAP).read_bytes()
    for end in range(1, len(parts) + 1):
        module = "/".join(parts[:end])
        package = f"{module}/__init__.py"
        if package in code:
            origin = f"{module}/__init__.lpack.py"
            stub = _STUB.format(origin=origin, package=True).encode()
            return BootstrapFiles(((BOOTSTRAP, own), (package, stub)), ((package, origin),))
        if end == len(parts) and f"{module}.py" in code:
            stub = _STUB.format(origin=f"{module}.py", package=False).encode()
            return BootstrapFiles(((BOOTSTRAP, own), (package, stub)), ())
    raise UsageError(
        f'`slim = "traced"` needs a handler in your own code, and `{handler}` is not',
        hint=f"write a module with `from {'.'.join(parts)} import {handler.rpartition('.')[2]}`",
    )
