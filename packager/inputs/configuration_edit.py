"""Writing settings into a configuration, with the user's comments, order and quoting kept. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from packager.errors import UsageError

_LAYERS = "layers"
_ADDED = ("drop", "services", "slim-rules")
"""Settings to which a plan adds; any other value takes the place of the old one."""


def edited(
    text: str,
    settings: Mapping[str, Any],
    *,
    prefix: Sequence[str],
    function: str | None,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Return the TOML `text` with `settings` set and everything else as it was.

    `prefix` leads to lpack's own table (`tool`, `lpack`, or nothing in lpack.toml); `function`
    names the table below `functions`, None means lpack's own table. `layers` become tables
    `layers.NAME`. What is dropped, and services, are added to what is there. Raises UsageError
    for text that is no TOML.
    """
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"the configuration is no TOML: {error}") from error
    below = () if function is None else ("functions", function)
    place = _descend(document, (*prefix, *below)) if settings else document
    for key, value in settings.items():
        if key in _ADDED:
            _add(place, key, value, inherited=_inherited(document, prefix, key))
        else:
            place[key] = _value(value)
    for name, table in (layers or {}).items():
        layer = _descend(document, (*prefix, _LAYERS, name))
        for key, value in table.items():
            layer[key] = _value(value)
    return tomlkit.dumps(document)


def _inherited(document: Any, prefix: Sequence[str], key: str) -> Any:  # noqa: ANN401 -- TOML
    """Return what lpack's own table says of `key`, or None."""
    table = document
    for name in prefix:
        table = table.get(name, {})
    value = table.get(key)
    return value.unwrap() if value is not None else None


def _add(place: Any, key: str, value: Any, *, inherited: Any) -> None:  # noqa: ANN401 -- TOML
    """Add to a list or table; what the function says not itself, it inherits and must repeat."""
    if key not in place:
        if isinstance(value, Mapping):
            place[key] = _value({**(inherited or {}), **value})
            return
        old = list(inherited or ())
        place[key] = _value([*old, *(each for each in value if each not in old)])
    elif isinstance(value, Mapping):
        place[key].update({name: _value(each) for name, each in value.items()})
    else:
        known = place[key].unwrap()
        place[key].extend([_value(each) for each in value if each not in known])


def _descend(table: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 -- a document or a table
    """Return the table at `path`, made where it is missing."""
    for position, name in enumerate(path):
        if name not in table:
            # Only the last table gets a header of its own: `[tool.lpack.functions.api]`.
            table[name] = tomlkit.table(is_super_table=position < len(path) - 1)
        table = table[name]
    return table


def _value(value: Any) -> Any:  # noqa: ANN401 -- whatever TOML holds
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update({key: _value(each) for key, each in value.items()})
        return inline
    if isinstance(value, (list, tuple)):
        array = tomlkit.array()
        array.extend([_value(each) for each in value])
        return array.multiline(len(str(value)) > 80)
    return value
