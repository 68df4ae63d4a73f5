"""Why importing a handler failed, in the sentence its author needs. Pure: facts in, words out."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from packager.model.finding import Finding
from packager.model.target import Target
from packager.verify.standard_library import gone_since, new_in

_NO_LIBRARY = re.compile(r"^(\S+): cannot open shared object file")
_NO_VERSION = re.compile(r"version [`']([A-Z]+_[\w.]+)' not found")
_NO_NAME = re.compile(r"^cannot import name '([^']+)' from '([^']+)'")
_WRONG_FILE = re.compile(r"(wrong ELF class|invalid ELF header|file too short)")

_DISTRIBUTIONS = {
    "Crypto": "pycryptodome", "MySQLdb": "mysqlclient", "PIL": "pillow", "attr": "attrs",
    "bs4": "beautifulsoup4", "cv2": "opencv-python-headless", "dateutil": "python-dateutil",
    "dotenv": "python-dotenv", "jose": "python-jose", "jwt": "pyjwt",
    "magic": "python-magic", "nacl": "pynacl", "pkg_resources": "setuptools",
    "psycopg2": "psycopg2-binary", "sklearn": "scikit-learn", "yaml": "pyyaml",
}  # fmt: skip
"""Import packages whose distribution has another name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the explanation may look at beside the failure itself.

    `manifest` may be empty. `files` are the artifact's files. `task` and `runtime` are the
    folders in the sandbox, as text. `sonames` are the libraries Lambda's own system has.
    """

    handler: str
    target: Target
    manifest: Mapping[str, Any]
    files: Collection[str]
    task: str
    runtime: str
    sonames: Collection[str] = ()

    def place(self, path: str) -> str:
        """Name a file as people know it: by its place in the zip, or as the runtime's."""
        if path.startswith(f"{self.task}/"):
            return path.removeprefix(f"{self.task}/")
        if path.startswith(f"{self.runtime}/"):
            return f"the runtime's {path.removeprefix(self.runtime + '/')}"
        return path.rpartition("/")[2]

    def version_of(self, module: str) -> str:
        """Return `NAME VERSION` of the bundled distribution that has `module`, else empty."""
        top = module.partition(".")[0]
        for distribution in self.manifest.get("distributions", ()):
            for row in distribution["files"]:
                if row[0].startswith(f"{top}/") or row[0].partition(".")[0] == top:
                    return f"{distribution['name']} {distribution['version']}"
        return ""


def explain(failure: Mapping[str, Any], around: Surroundings) -> Finding:
    """Word the failure that the bootstrap described; always one error."""
    message, kind = str(failure["message"]), str(failure["type"])
    if failure.get("syntax"):
        return _syntax(failure["syntax"], around)
    if failure["fault"] == "Runtime.HandlerNotFound":
        return _no_handler(failure, around)
    if kind == "ModuleNotFoundError" and failure.get("name"):
        return _no_module(str(failure["name"]), failure, around)
    if failure["fault"] == "Runtime.ImportModuleError" or kind == "ImportError":
        return _import_error(message, failure, around)
    if failure["fault"]:
        said = str(failure.get("said") or message)
        hint = 'handler = "module.function"'
        return Finding(code="handler-malformed", level="error", message=said, hint=hint)
    return _raised(kind, message, failure, around)


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


def _no_handler(failure: Mapping[str, Any], around: Surroundings) -> Finding:
    module, _, name = around.handler.rpartition(".")
    names = [str(each) for each in failure.get("names", ())]
    near = get_close_matches(name, names, 1, 0.4) or names[:1]
    return Finding(
        code="handler-not-found",
        level="error",
        message=f"the module `{module}` has no `{name}`",
        hint=f'handler = "{module}.{near[0]}"' if near else None,
    )


def _no_module(name: str, failure: Mapping[str, Any], around: Surroundings) -> Finding:
    top = name.partition(".")[0]
    by = _importer(failure, around)
    wanted = around.handler.rpartition(".")[0].replace("/", ".")
    if name == wanted or wanted.startswith(f"{name}."):
        hint = _near_module(wanted, around.files)
        return _missing(f"the handler's module `{name}` is not in the zip", hint)
    left_out = _left_out(name, around.manifest)
    if left_out is not None:
        return _missing(f"`{name}`{by} was left out of the zip: {left_out}", _keep_hint(name))
    if _moved(top, around.target):
        return _missing(*_moved_words(top, by))
    subtracted = _subtracted(top, around.manifest)
    if subtracted:
        text = f"`{name}`{by} was left to the runtime ({subtracted}), which does not have it"
        return _missing(text, f"--subtract {subtracted.partition(' ')[0]}=never")
    owner = around.version_of(top)
    if owner:
        return _missing(f"`{name}`{by} is not in {owner}, which has `{top}`", None)
    distribution = _DISTRIBUTIONS.get(top, top.replace("_", "-"))
    return _missing(
        f"`{name}`{by} is neither in the zip nor in {around.target.runtime}",
        f"add `{distribution}` to the requirements",
    )


def _moved(top: str, target: Target) -> bool:
    """Tell whether the target's standard library has no `top` although another version has."""
    gone, new = gone_since(top), new_in(top)
    return (gone is not None and target.python >= gone) or (new is not None and target.python < new)


def _moved_words(top: str, by: str) -> tuple[str, str]:
    gone, new = gone_since(top), new_in(top)
    if gone is not None:
        version = f"{gone[0]}.{gone[1]}"
        text = f"`{top}`{by} left the standard library with Python {version}"
        return text, f"replace it, or choose a runtime before python{version}"
    version = f"{new[0]}.{new[1]}" if new is not None else ""
    text = f"`{top}`{by} is in the standard library since Python {version} only"
    return text, f"choose python{version} or later with --runtime"


def _missing(message: str, hint: str | None) -> Finding:
    return Finding(code="import-missing", level="error", message=message, hint=hint)


def _importer(failure: Mapping[str, Any], around: Surroundings) -> str:
    """Return `, imported by app.py:3,` for the nearest file that is not the import machinery."""
    for path, line, _ in reversed(failure.get("frames", ())):
        if str(path).startswith((f"{around.task}/", f"{around.runtime}/")) and not str(
            path
        ).startswith(f"{around.runtime}/awslambdaric/"):
            return f", imported by `{around.place(str(path))}:{line}`,"
    return ""


def _near_module(wanted: str, files: Collection[str]) -> str | None:
    """Suggest where the module may be: the same file name in another folder."""
    last = wanted.rpartition(".")[2]
    same = sorted(name for name in files if name.rpartition("/")[2] == f"{last}.py")
    return f"there is `{same[0]}`; the handler's module is its place in the zip" if same else None


def _left_out(name: str, manifest: Mapping[str, Any]) -> str | None:
    """Return the rule that kept the module's file out of the zip."""
    stem = name.replace(".", "/")
    rows = [
        (distribution["name"], row)
        for distribution in manifest.get("distributions", ())
        for row in distribution.get("dropped", ())
    ]
    rows += [("your own code", row) for row in manifest.get("code", {}).get("excluded", ())]
    for owner, row in rows:
        path = str(row[0])
        if path in {f"{stem}.py", f"{stem}/__init__.py", stem} or path.startswith(f"{stem}."):
            rule = ", ".join(str(part) for part in row[1:] if isinstance(part, str))
            return f"`{path}` of {owner} ({rule})"
    return None


def _keep_hint(name: str) -> str:
    return f'keep = ["{name.replace(".", "/")}*"]'


def _subtracted(top: str, manifest: Mapping[str, Any]) -> str:
    names = {top.replace("_", "-").lower(), _DISTRIBUTIONS.get(top, "")}
    for distribution in manifest.get("distributions", ()):
        if distribution.get("subtracted") and distribution["name"] in names:
            return f"{distribution['name']} {distribution['version']}"
    return ""


def _import_error(message: str, failure: Mapping[str, Any], around: Surroundings) -> Finding:
    by = _importer(failure, around)
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
    bundled = not place.startswith("the runtime's") and bool(owner)
    if bundled and "the runtime's" in by:
        return Finding(
            code="import-mixed",
            level="error",
            message=f"`{name}`{by} is not in the bundled {owner}, which shadows the runtime's",
            hint="bundle what imports it as well, with --subtract never",
        )
    where = f"the bundled {owner}" if bundled else place or f"`{module}`"
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
