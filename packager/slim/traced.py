"""Which files of a distribution nobody touched while the real handler ran. Pure.

They are moved into a fallback archive, never deleted, and the bootstrap brings them back. So only
files are moved whose absence the bootstrap can notice: modules, libraries that modules need, and
data in formats that Python code opens. What C code may open by itself stays (certificates,
databases, plugins), and so does whatever the import system would take for something
else without its neighbour.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

WORTHWHILE_BYTES = 65_536
"""Below so many uncompressed bytes a distribution stays whole: an archive has its own price."""

_PYTHON_DATA = re.compile(
    r"(?i)\.(?:css|csv|gif|html?|ini|jpe?g|js|json|map|md|npy|npz|parquet|pickle|pkl|png|pxd|pyi?x?"
    r"|rst|svg|tmpl|toml|tpl|tsv|txt|xml|ya?ml)(?:\.(?:bz2|gz|xz|zip))?$"
)
# Time zones are read by pytz, dateutil and the standard library's zoneinfo, all of them Python.
_PYTHON_FOLDERS = re.compile(r"(?:^|/)(?:tests?|zoneinfo)/")
_LIBRARY = re.compile(r"\.so(?:\.[\w.]+)?$")
_CODE = re.compile(r"^(?P<stem>.+?)(?:\.(?:cpython-[\w-]+|abi3))?\.(?P<kind>py|so)$")
_CACHED = re.compile(r"^(?P<folder>.*/|)__pycache__/(?P<stem>[^/]+?)\.[^/]+\.pyc$")
_STARTED = (".pth", ".start")
_METADATA = (".dist-info", ".egg-info")


class Split(NamedTuple):
    """The names of a distribution's files, each in one of the two, in the order given."""

    kept: tuple[str, ...]
    moved: tuple[str, ...]


def split(
    files: Mapping[str, int],
    touched: Collection[str],
    *,
    linked: Collection[str] = (),
) -> Split:
    """Part `files` (archive name to uncompressed bytes) into those that stay and the others.

    `touched` are names that a trace saw; names of other distributions do no harm. `linked` are
    the libraries that another file of the distribution names as needed: of these the dynamic
    loader says when they are missing. Nothing is moved when it is not worth an archive.
    """
    seen = _with_sources(touched)
    needed = frozenset(map(_without_version, linked))
    kept = {name for name in files if name in seen or _stays(name, needed)}
    kept |= _neighbours(files, kept)
    moved = tuple(name for name in files if name not in kept)
    if sum(files[name] for name in moved) < WORTHWHILE_BYTES:
        return Split(tuple(files), ())
    return Split(tuple(name for name in files if name in kept), moved)


def libraries_in_question(files: Mapping[str, int], touched: Collection[str]) -> frozenset[str]:
    """Return the untouched libraries that are no modules: `split` must know who links them."""
    return frozenset(
        name for name in files if name not in touched and is_library(name) and not _is_module(name)
    )


def is_library(name: str) -> bool:
    """Tell whether the file is a native library or an extension module, by its name."""
    return _LIBRARY.search(name.rpartition("/")[2]) is not None


def _with_sources(touched: Iterable[str]) -> set[str]:
    """Add the source of every bytecode file: without it, the import system ignores that."""
    seen = set(touched)
    for name in touched:
        cached = _CACHED.match(name)
        if cached:
            seen.add(f"{cached['folder']}{cached['stem']}.py")
    return seen


def _stays(name: str, linked: frozenset[str]) -> bool:
    """Tell whether the file stays although nobody touched it."""
    top, _, rest = name.partition("/")
    base = name.rpartition("/")[2]
    if top.endswith(_METADATA):
        return True
    if not rest and base.endswith((".py", *_STARTED)):
        # A runtime's module of the same name further down sys.path must not take its place.
        return True
    if rest == "__init__.py":
        return True
    if _CACHED.match(name) or base.endswith(".py"):
        return False
    if is_library(name):
        return not _is_module(name) and _without_version(name) not in linked
    return not (_PYTHON_DATA.search(base) or _PYTHON_FOLDERS.search(name))


def _without_version(name: str) -> str:
    """Return one name for `libx.so`, `libx.so.1` and `libx.so.1.2`: copies of one library."""
    folder, slash, base = name.rpartition("/")
    return f"{folder}{slash}{base.partition('.so')[0]}"


def _is_module(name: str) -> bool:
    """Tell whether the import system takes the library for an extension module."""
    code = _CODE.match(name.rpartition("/")[2])
    return code is not None and code["stem"].isidentifier() and not code["stem"].startswith("lib")


def _neighbours(files: Mapping[str, int], kept: Iterable[str]) -> set[str]:
    """Return what must stay beside `kept` so that names still mean the same to `import`.

    A folder without its `__init__.py` would become a namespace package, and a module that has an
    extension and a source would become the one that is left.
    """
    modules: dict[str, list[str]] = {}
    for name in files:
        for module in _modules(name):
            modules.setdefault(module, []).append(name)
    added: set[str] = set()
    waiting = list(kept)
    while waiting:
        name = waiting.pop()
        for module in (*_modules(name), *_parents(name)):
            for other in modules.pop(module, ()):
                added.add(other)
                waiting.append(other)
    return added


def _modules(name: str) -> Iterator[str]:
    """Yield the module that the file is, as a path without its ending."""
    cached = _CACHED.match(name)
    if cached:
        stem = f"{cached['folder']}{cached['stem']}"
    else:
        folder, _, base = name.rpartition("/")
        code = _CODE.match(base)
        if code is None:
            return
        stem = f"{folder}/{code['stem']}" if folder else code["stem"]
    yield stem.removesuffix("/__init__")


def _parents(name: str) -> Iterator[str]:
    """Yield the folders the file is in."""
    position = name.rfind("/")
    while position > 0:
        yield name[:position]
        position = name.rfind("/", 0, position)
