"""`[tool.lpack]` in `pyproject.toml`, `lpack.toml` or `--config FILE`, as values."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packager.errors import UsageError
from packager.inputs.documents import load_pyproject, load_toml, shown
from packager.inputs.layer_tables import parse_layers
from packager.inputs.setting_values import Place, named_tables
from packager.inputs.settings import Overrides, parse_settings
from packager.model.budget import NO_BUDGETS, Budgets
from packager.model.layer import OwnLayer

_TABLES = ("functions",)
_TABLES_AND_LAYERS = ("functions", "layers")


class Configuration(NamedTuple):
    """What the files say: the defaults, functions, layers, the pyproject, and which were read."""

    place: Place
    defaults: Overrides
    functions: dict[str, Overrides]
    layers: dict[str, OwnLayer]
    pyproject: Mapping[str, Any]
    files: tuple[Path, ...]

    def budgets_of(self, function: str) -> Budgets:
        """Return the budgets of `function`, each from itself or else from all functions."""
        own = self.functions[function].budgets if function in self.functions else None
        shared = len(self.functions) > 1
        return (own or NO_BUDGETS).over(self.defaults.budgets or NO_BUDGETS, shared=shared)


def read_configuration(
    root: Path, config: Path | None, *, runtimes: Sequence[str]
) -> Configuration:
    """Read the configuration of the project in `root`; `config` is `--config`.

    Raises UsageError for unknown keys, wrong types and two configurations side by side.
    """
    pyproject_file, own_file = root / "pyproject.toml", root / "lpack.toml"
    pyproject = load_pyproject(pyproject_file, root) if pyproject_file.is_file() else {}
    files = [pyproject_file] if pyproject_file.is_file() else []
    in_pyproject = pyproject.get("tool", {}).get("lpack")
    table: object = in_pyproject if in_pyproject is not None else {}
    place = Place("pyproject.toml", "tool.lpack")
    if config is not None:
        chosen = root / config
        if not chosen.is_file():
            raise UsageError(f"`--config`: there is no file `{config}`")
        document = load_toml(chosen, root)
        files.append(chosen)
        tool = document.get("tool")
        nested = tool.get("lpack") if isinstance(tool, dict) else None
        is_pyproject = nested is not None or chosen.name == "pyproject.toml"
        table = (nested or {}) if is_pyproject else document
        place = Place(shown(chosen, root), "tool.lpack" if is_pyproject else "")
    elif own_file.is_file():
        if in_pyproject is not None:
            raise UsageError(
                "both `lpack.toml` and `[tool.lpack]` in `pyproject.toml` configure lpack",
                hint="keep one of them, or choose with `--config lpack.toml`",
            )
        table, place = load_toml(own_file, root), Place("lpack.toml", "")
        files.append(own_file)
    defaults, functions, layers = _parse_tables(table, place, runtimes=runtimes)
    read = tuple(dict.fromkeys(files))
    return Configuration(place, defaults, functions, layers, pyproject, read)


def _parse_tables(
    table: object, place: Place, *, runtimes: Sequence[str]
) -> tuple[Overrides, dict[str, Overrides], dict[str, OwnLayer]]:
    if not isinstance(table, dict):
        raise UsageError(f"`{place.path}` in `{place.file}` must be a table")
    # `layers` is a list that functions share, or, as a table, what layers there are.
    listed = isinstance(table.get("layers"), list)
    tables = _TABLES if listed else _TABLES_AND_LAYERS
    defaults = parse_settings(table, place=place, runtimes=runtimes, tables=tables)
    functions = {
        name: parse_settings(entry, place=below, runtimes=runtimes)
        for name, entry, below in named_tables(table.get("functions", {}), place.below("functions"))
    }
    layers = {} if listed else parse_layers(table.get("layers", {}), place.below("layers"))
    return defaults, functions, layers
