"""What goes beside the user's code so that a bootstrap runs before it.

The handler setting stays as it is, and nothing depends on whether AWS's own start-up script reads
`.pth` files. Lambda imports the handler's module by name; the first file that this executes is
lpack's, and it puts the real module in its own place (`sys.modules`, as the import system allows):

- For a module `app.py` that is a package `app/__init__.py`, which the import system prefers to a
  module of the same folder. The user's file stays where it is and as it is.
- For a package with an `__init__.py` that file is renamed to `__init__.lpack.py`.

Whoever would rather see it in their own code writes `import lpack_offload` at the top of the
handler's module; then nothing is put before it.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from packager.errors import UsageError

TRACED = "lpack_bootstrap"
"""Brings back what `slim = "traced"` moved."""

OFFLOAD = "lpack_offload"
"""Brings what `offload` names to /tmp."""

_EXPLICIT = re.compile(rf"^(?:import|from) {OFFLOAD}\b", re.MULTILINE)
_STUB = '''\
"""Written by lpack: begins with what has to run first, and goes on with `{origin}`.

That is the module of this name.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from os.path import abspath, dirname, join

{installing}

path = join(dirname(abspath({first}.__file__)), "{origin}")
places = [dirname(path)] if {package} else None
spec = spec_from_file_location(__name__, path, submodule_search_locations=places)
module = module_from_spec(spec)
if places:
    module.__file__ = __file__
sys.modules[__name__] = module
spec.loader.exec_module(module)
'''


class BootstrapFiles(NamedTuple):
    """`added` are files as (archive name, contents); `renamed` maps names of the user's code."""

    added: tuple[tuple[str, bytes], ...]
    renamed: tuple[tuple[str, str], ...]


class Handler(NamedTuple):
    """Where Lambda enters the user's code.

    `stub` is the file that is executed first. `origin` is the user's own of that name, `moved`
    when it has to make room under another one.
    """

    module: str
    stub: str
    origin: str
    moved: str


def find_handler(handler: str, code: Collection[str]) -> Handler:
    """Return where `handler` enters; `code` are the archive names of the user's own files.

    Raises UsageError when the handler's module is not Python source of the user's own.
    """
    parts = handler.rpartition(".")[0].replace("/", ".").split(".")
    last = "/".join(parts)
    module = f"{last}/__init__.py" if f"{last}/__init__.py" in code else f"{last}.py"
    for end in range(1, len(parts) + 1):
        folder = "/".join(parts[:end])
        package = f"{folder}/__init__.py"
        if package in code:
            return Handler(module, package, package, f"{folder}/__init__.lpack.py")
    if module in code:
        return Handler(module, f"{last}/__init__.py", module, "")
    raise UsageError(
        f'`offload` and `slim = "traced"` need a handler in your own code, and `{handler}` is not',
        hint=f"write a module with `from {'.'.join(parts)} import {handler.rpartition('.')[2]}`",
    )


def imports_offload(text: str) -> bool:
    """Tell whether source imports the bootstrap of `offload` by itself."""
    return _EXPLICIT.search(text) is not None


def bootstrap_files(handler: Handler, bootstraps: Sequence[str]) -> BootstrapFiles:
    """Return what to add so that `bootstraps` are installed, in their order, before `handler`."""
    origin = handler.moved or handler.origin
    stub = _STUB.format(
        origin=origin,
        installing="\n".join(f"import {name}\n\n{name}.install()" for name in bootstraps),
        first=bootstraps[0],
        package=bool(handler.moved),
    )
    return BootstrapFiles(
        added=(*bootstrap_sources(bootstraps), (handler.stub, stub.encode())),
        renamed=((handler.origin, handler.moved),) if handler.moved else (),
    )


def bootstrap_sources(bootstraps: Sequence[str]) -> tuple[tuple[str, bytes], ...]:
    """Return the files of `bootstraps` alone, as (archive name, contents)."""
    return tuple(
        (f"{name}.py", Path(__file__).with_name(f"{name}.py").read_bytes()) for name in bootstraps
    )
