"""Modules of a bundle that take the place of Python's or of the runtime's own. Pure.

AWS's bootstrap puts /var/task first in `sys.path`, before the standard library, so that a module
which is harmless in `site-packages` wins there.
"""

from collections.abc import Collection, Iterator, Mapping

from packager.model.finding import Finding
from packager.model.runtime_system import RuntimeSystem
from packager.verify.extension_modules import importable_suffixes
from packager.verify.rule_data import load_rules


def top_level_modules(names: Collection[str], suffixes: Collection[str]) -> Mapping[str, str]:
    """Return the modules that /var/task offers to `import`, each with its file.

    A folder without `__init__` is only a part of a namespace: a module elsewhere comes first.
    """
    found: dict[str, str] = {}
    endings = (*suffixes, ".py", ".pyc")
    for name in names:
        module, _, rest = name.partition("/")
        if rest:
            if rest in {f"__init__{ending}" for ending in endings}:
                found[module] = name
            continue
        for ending in endings:
            if name.endswith(ending):
                found.setdefault(name.removesuffix(ending), name)
                break
    return found


def check_shadowing(names: Collection[str], system: RuntimeSystem) -> Iterator[Finding]:
    """Yield the top-level modules that hide one of the standard library or of the runtime."""
    modules = top_level_modules(names, importable_suffixes(system.target))
    for module, path in sorted(modules.items()):
        if module in system.standard_library:
            yield _standard(module, path, system)
        elif module in load_rules("shadowing")["runtime"]:
            yield Finding(
                code="shadows-runtime",
                level="warning",
                path=path,
                message=f"`{path}` {load_rules('shadowing')['runtime'][module]}",
                hint=f"leave `{module}` out, or rename it",
            )


def _standard(module: str, path: str, system: RuntimeSystem) -> Finding:
    """Word what comes of a module that has the name of one of Python's own."""
    backport = load_rules("shadowing")["backports"].get(module)
    if backport is not None:
        return Finding(
            code="shadows-standard-library",
            level="note",
            path=path,
            message=f"`{path}` takes the place of Python's own `{module}`; {backport}",
        )
    if module in system.loaded_before:
        return Finding(
            code="never-imported",
            level="warning",
            path=path,
            message=f"`{path}` is never imported: Python has its own `{module}` loaded before",
            hint="rename it",
        )
    owner = load_rules("shadowing")["obsolete"].get(module)
    brings = f"`{owner}`: Python has it" if owner else f"the distribution that brings `{module}`"
    needed = module in system.runtime_imports
    why = ", which Lambda's runtime itself imports at start" if needed else ", for all libraries"
    return Finding(
        code="shadows-standard-library",
        level="error" if needed else "warning",
        path=path,
        message=f"`{path}` takes the place of Python's own `{module}`{why}",
        hint=f"rename it, or leave out {brings}",
    )
