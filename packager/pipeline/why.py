"""How the code of a finished artifact reaches a distribution."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.inspect.guesses import import_names
from packager.inspect.import_graph import Modules, closure_of, find_import_chain
from packager.inspect.opening import open_artifact
from packager.model.found import FoundFile, Opened
from packager.model.imported import ImportChain

_ROOTS = ("", "python/", "var/task/", "opt/python/")
_SOURCES = ("", "src/")


def import_chain(
    artifact: Path, manifest: Mapping[str, Any], name: str, *, project: Path
) -> ImportChain:
    """Find how the handler, or any of the user's code, comes to import the distribution `name`.

    Reads the sources in the artifact; only distributions that require `name`, directly or not,
    can lead there. Paths of the user's code are those in `project` where it has them. Raises
    UsageError for an artifact that cannot be read.
    """
    with open_artifact(artifact) as opened:
        files = {file.path: file for file in opened.found.files}
        owners = _owners(manifest)
        leading = closure_of(name, _parents(manifest))
        inside = [path for path in files if owners.get(path, "") in leading | {""}]
        modules = Modules(inside, _reader(opened, files), roots=_roots(manifest))
        target = {path for path, owner in owners.items() if owner == name}
        wanted = frozenset(modules.named(target))
        names = tuple(f"{each}." for each in import_names(name))

        def is_wanted(module: str) -> bool:
            # What the runtime or an archive has is no module here: its import name tells.
            return module in wanted if wanted else f"{module}.".startswith(names)

        chain = ImportChain((), 0, complete=True)
        for starts in _starts(manifest, modules):
            chain = find_import_chain(modules, starts, is_wanted)
            if chain.steps:
                break
    steps = (step._replace(path=_in_project(step.path, project)) for step in chain.steps)
    return chain._replace(steps=tuple(steps))


def _owners(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {
        row[0]: distribution["name"]
        for distribution in manifest["distributions"]
        for row in distribution["files"]
    }


def _parents(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        each["name"]: [edge["parent"] for edge in each["required_by"]]
        for each in manifest["distributions"]
    }


def _roots(manifest: Mapping[str, Any]) -> set[str]:
    """Return the folders that are on `sys.path`: of layers and others' artifacts, not the top."""
    return {*_ROOTS, *(str(each.get("root", "")) for each in manifest["distributions"])}


def _reader(opened: Opened, files: Mapping[str, FoundFile]) -> Any:  # noqa: ANN401 -- a function
    def read(path: str) -> bytes:
        try:
            return opened.read(files[path])
        except OSError:
            # Damage is for `lpack verify` to tell; nothing is imported from it here.
            return b""

    return read


def _starts(manifest: Mapping[str, Any], modules: Modules) -> list[list[str]]:
    """Return where to begin: at the handler's module, then at all of the user's own code."""
    handler = str(manifest["function"]["handler"]).rpartition(".")[0].replace("/", ".")
    own = modules.named({row[0] for row in manifest["code"]["files"]})
    return [[handler], own] if handler else [own]


def _in_project(path: str, project: Path) -> str:
    """Return the way to the file in the project, where it has it: without an image's folders."""
    for source in _SOURCES:
        for root in _ROOTS:
            own = f"{source}{path.removeprefix(root)}"
            if path.startswith(root) and (project / own).is_file():
                return own
    return path
