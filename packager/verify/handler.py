"""Whether a bundle has the module that a function's handler names. Pure."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from packager.model.finding import Finding
from packager.model.runtime_system import RuntimeSystem
from packager.verify.extension_modules import importable_suffixes


def check_handler(names: Collection[str], handler: str, system: RuntimeSystem) -> Iterator[Finding]:
    """Yield why the module of `handler` (`MODULE.FUNCTION`) cannot be imported from /var/task.

    AWS's client reads a slash in the module as a dot.
    """
    module, dot, function = handler.rpartition(".")
    place = module.replace(".", "/")
    endings = [*importable_suffixes(system.target), ".py", ".pyc"]
    if not dot or not place or not function:
        message = f"the handler `{handler}` is not of the form MODULE.FUNCTION"
        yield _finding(message, "write it like app.handler")
    elif place.partition("/")[0] in system.loaded_before:
        message = f"the handler `{handler}` names a module of Python itself, loaded before yours"
        yield _finding(message, "rename the module")
    elif not any(f"{place}{end}" in names or f"{place}/__init__{end}" in names for end in endings):
        shown = module.replace("/", ".")
        message = f"the handler `{handler}` names the module `{shown}`, which is not in the bundle"
        yield _finding(message, _hint(names, shown, function))


def _hint(names: Collection[str], module: str, function: str) -> str:
    modules = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): None
        for name in names
        if name.endswith(".py")
    }
    same_file = [m for m in modules if m.rpartition(".")[2] == module.rpartition(".")[2]]
    near = [*sorted(same_file, key=len)[:1], *get_close_matches(module, modules, 1, 0.8)]
    return f"did you mean `{near[0]}.{function}`?" if near else "name a module that is in the zip"


def _finding(message: str, hint: str) -> Finding:
    return Finding(code="handler-missing", level="error", path="", message=message, hint=hint)
