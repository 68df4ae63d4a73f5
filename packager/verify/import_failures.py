"""Why importing a handler failed, in the sentence its author needs. Pure: facts in, words out."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from packager.model.finding import Finding
from packager.verify.missing_modules import explain_missing
from packager.verify.surroundings import Surroundings

_NO_LIBRARY = re.compile(r"^(\S+): cannot open shared object file")
_NO_VERSION = re.compile(r"version [`']([A-Z]+_[\w.]+)' not found")
_NO_NAME = re.compile(r"^cannot import name '([^']+)' from '([^']+)'")
_HANDLER_FAULTS = frozenset(
    f"Runtime.{name}"
    for name in ("HandlerNotFound", "MalformedHandlerName", "BuiltInModuleConflict")
)
_QUOTED = re.compile(r"'(\w+)")
_WRONG_FILE = re.compile(r"(wrong ELF class|invalid ELF header|file too short)")


def explain(failure: Mapping[str, Any], around: Surroundings) -> Finding:
    """Word the failure that the bootstrap described; always one error."""
    message, kind = str(failure["message"]), str(failure["type"])
    if failure.get("client"):
        return _client(kind, message, failure, around)
    if failure.get("syntax"):
        return _syntax(failure["syntax"], around)
    if failure["fault"] in _HANDLER_FAULTS:
        return _bad_handler(failure, around)
    if kind == "ModuleNotFoundError" and failure.get("name"):
        return explain_missing(str(failure["name"]), failure, around)
    if kind == "ImportError":
        return _import_error(message, failure, around)
    return _raised(kind, message, failure, around)


def _client(kind: str, message: str, failure: Mapping[str, Any], around: Surroundings) -> Finding:
    """Word that not even AWS's own client starts: something in the zip shadows what it needs."""
    origins = [str(failure.get("path") or ""), *(str(path) for path, *_ in failure["frames"])]
    ours = [around.place(path) for path in origins if path.startswith(f"{around.task}/")]
    for name in _QUOTED.findall(message):
        ours += [f"{name}.py", f"{name}/__init__.py"]
    place = next((name for name in ours if name in around.files), "")
    shadow = f"; `{place}` shadows what it needs" if place else ""
    return Finding(
        code="runtime-shadowed",
        level="error",
        path=place,
        message=f"the runtime's own client does not start: {kind}: {_first_line(message)}{shadow}",
        hint="rename what has the name of a module of Python or of the runtime",
    )


def _syntax(facts: Iterable[Any], around: Surroundings) -> Finding:
    path, line, message = facts
    place = around.place(str(path or "?"))
    major, minor = around.target.python
    return Finding(
        code="import-syntax",
        level="error",
        path=place,
        message=f"`{place}` line {line} is no valid Python {major}.{minor}: {message}",
        hint="fix it, or choose a runtime that knows the syntax with --runtime",
    )


def _bad_handler(failure: Mapping[str, Any], around: Surroundings) -> Finding:
    if failure["fault"] != "Runtime.HandlerNotFound":
        return Finding(
            code="handler-malformed",
            level="error",
            message=str(failure["said"]),
            hint='handler = "module.function"',
        )
    module, _, name = around.handler.rpartition(".")
    names = [str(each) for each in failure.get("names", ())]
    near = get_close_matches(name, names, 1, 0.4) or names[:1]
    return Finding(
        code="handler-not-found",
        level="error",
        message=f"the module `{module}` has no `{name}`",
        hint=f'handler = "{module}.{near[0]}"' if near else None,
    )


def _import_error(message: str, failure: Mapping[str, Any], around: Surroundings) -> Finding:
    by = around.importer(failure)
    path = str(failure.get("path") or "")
    place = around.place(path) if path else ""
    library = _NO_LIBRARY.search(message)
    if library:
        return _no_library(library[1], place, around)
    version = _NO_VERSION.search(message)
    if version:
        text = f"`{place or 'a library'}` needs {version[1]}, which this machine does not have"
        hint = "lpack verify tells whether the runtime has it; here only a newer system helps"
        return Finding(code="import-version", level="error", path=place, message=text, hint=hint)
    name = _NO_NAME.search(message)
    if name:
        return _no_name(name[1], name[2], by, place, around)
    if _WRONG_FILE.search(message) or "undefined symbol" in message:
        text = f"`{place or 'a library'}`{by} cannot be loaded: {_first_line(message)}"
        return Finding(code="import-library", level="error", path=place, message=text)
    return Finding(
        code="import-error", level="error", path=place, message=f"{_first_line(message)}{by}"
    )


def _no_library(soname: str, place: str, around: Surroundings) -> Finding:
    needed = f", which `{place}` needs," if place else ""
    if soname in around.sonames:
        return Finding(
            code="import-library-here",
            level="error",
            path=place,
            message=f"`{soname}`{needed} is not on this machine, although Lambda has it",
            hint=f"install the package of this system that has {soname} and try again",
        )
    return Finding(
        code="import-library",
        level="error",
        path=place,
        message=f"`{soname}`{needed} is neither in the zip nor on this machine",
        hint=_LIBRARY_HINTS.get(
            soname.partition(".")[0], f"bundle {soname} below lib/, which Lambda searches"
        ),
    )


_LIBRARY_HINTS = dict.fromkeys(
    ("libGL", "libX11", "libXext", "libSM", "libICE", "libXrender"),
    "Lambda has no graphics: use the headless variant, such as opencv-python-headless",
)


def _no_name(name: str, module: str, by: str, place: str, around: Surroundings) -> Finding:
    """Word what two distributions of unlike age say to each other."""
    owner = around.version_of(module)
    origin = f"the bundled {owner}" if owner else f"your own `{place}`"
    bundled = place in around.files
    if bundled and "the runtime's" in by:
        return Finding(
            code="import-mixed",
            level="error",
            path=place,
            message=f"`{name}`{by} is not in `{module}` of {origin}, which shadows the runtime's",
            hint="bundle what imports it as well, with --subtract never",
        )
    where = origin if bundled else place or "the standard library"
    return Finding(
        code="import-name",
        level="error",
        message=f"`{name}`{by} is not in `{module}` of {where}",
        hint="the two do not fit together: let the resolver choose their versions",
    )


def _raised(kind: str, message: str, failure: Mapping[str, Any], around: Surroundings) -> Finding:
    """Word an exception that the code itself raised while it was imported."""
    frames = [tuple(frame) for frame in failure.get("frames", ())]
    where = ""
    for path, line, _ in reversed(frames):
        if str(path).startswith(f"{around.task}/"):
            where = f" at `{around.place(str(path))}:{line}`"
            break
    variable = message.strip("'\"")
    last = str(frames[-1][0]) if frames else ""
    if kind == "KeyError" and last.rpartition("/")[2] in {"os.py", "<frozen os>"}:
        return Finding(
            code="import-environment",
            level="error",
            message=f"the environment variable `{variable}` is read{where} and not set here",
            hint=f"--env {variable}=VALUE",
        )
    said = f": {_first_line(message)}" if message else ""
    return Finding(
        code="import-raised",
        level="error",
        message=f"importing `{around.handler.rpartition('.')[0]}` raised {kind}{where}{said}",
    )


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0]
