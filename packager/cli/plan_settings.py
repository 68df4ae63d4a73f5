"""A plan's settings as TOML: to paste, or written into the project's configuration."""

from pathlib import Path
from typing import Any, NamedTuple

from packager.assemble.output import atomic_output
from packager.errors import UsageError
from packager.inputs.configuration_edit import edited
from packager.model.plan import Plan
from packager.parsing import parse_toml
from packager.place.plans import LAYER_TABLES


class ConfigurationPlace(NamedTuple):
    """The file that configures the project, and where in it the settings of `name` stand.

    That is below `functions` when the function `is_named` there, else in lpack's own table.
    """

    path: Path
    prefix: tuple[str, ...]
    name: str
    is_named: bool


def configuration_place(root: Path, function: str) -> ConfigurationPlace:
    """Return where settings of `function` belong in the project in `root`.

    That is lpack.toml when it is there, else pyproject.toml; below `functions` when the function
    is configured there, else at the top. Raises UsageError for a file that is no TOML.
    """
    own = root / "lpack.toml"
    path, prefix = (own, ()) if own.is_file() else (root / "pyproject.toml", ("tool", "lpack"))
    table: Any = _read(path)
    for key in prefix:
        table = table.get(key, {})
    functions = table.get("functions", {})
    return ConfigurationPlace(path, prefix, function, is_named=function in functions)


def render_settings(plan: Plan, place: ConfigurationPlace) -> str:
    """Return the plan's settings as TOML for `place`."""
    return edited_text(plan, place, text="").strip() + "\n"


def edited_text(plan: Plan, place: ConfigurationPlace, *, text: str) -> str:
    """Return the TOML `text` with the plan's settings; everything else stays."""
    settings = dict(plan.settings)
    layers = settings.pop(LAYER_TABLES, {})
    # In lpack's own table, `layers` is where the layers themselves are described.
    function = place.name if place.is_named or layers else None
    return edited(text, settings, prefix=place.prefix, function=function, layers=layers)


def configuration_text(place: ConfigurationPlace) -> str:
    """Return what the configuration file holds now; nothing when it is not there."""
    return place.path.read_text(encoding="utf-8") if place.path.is_file() else ""


def write_settings(plan: Plan, place: ConfigurationPlace) -> None:
    """Write the plan's settings into the configuration, as a whole or not at all."""
    text = edited_text(plan, place, text=configuration_text(place))
    with atomic_output(place.path) as output:
        output.write(text.encode())


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"`{path.name}` is no TOML: {error}") from error
