"""`[tool.lpack.layers.NAME]`, and which layers a function names. Reads nothing but folders."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from packager.errors import UsageError
from packager.inputs.documents import joined
from packager.inputs.nearest import nearest
from packager.inputs.setting_values import (
    Place,
    named_tables,
    parse_value,
    unknown_choice,
    unknown_key,
)
from packager.model.layer import EVERYTHING, LayerReference, LayerRoot, OwnLayer

_KEYS = ("distributions", "root", "libraries")
_FILES = (".zip", ".lpack.json")


def parse_layers(table: object, place: Place) -> dict[str, OwnLayer]:
    """Turn the table `layers` at `place` into layers by name, in the order they are written.

    Raises UsageError for unknown keys, wrong types and names that AWS does not accept.
    """
    return {name: _layer(name, entry, below) for name, entry, below in named_tables(table, place)}


def _layer(name: str, entry: Mapping[str, object], place: Place) -> OwnLayer:
    layer = OwnLayer(name)
    for key, value in entry.items():
        if key == "distributions":
            parsed = parse_value(key, "texts", value, place=place)
            layer = layer._replace(distributions=_names(parsed, place))
        elif key == "root":
            roots = get_args(LayerRoot)
            if value not in roots:
                name = f"`{place.dotted(key)}` in `{place.file}`"
                raise unknown_choice(key, str(value), roots, name=name)
            layer = layer._replace(root=value)  # type: ignore[arg-type]  # one of the roots
        elif key == "libraries":
            layer = layer._replace(libraries=bool(parse_value(key, "switch", value, place=place)))
        else:
            raise unknown_key(key, place, known=_KEYS)
    return layer


def _names(parsed: object, place: Place) -> tuple[str, ...]:
    # The rule of PEP 503; packaging's function would load its version parser on every start.
    names = [re.sub(r"[-_.]+", "-", str(n)).lower() for n in parsed]  # type: ignore[attr-defined]  # parse_value gives a tuple for `texts`
    if not names:
        raise UsageError(
            f"`{place.dotted('distributions')}` in `{place.file}` is empty",
            hint='distributions = ["*"] takes everything but your code',
        )
    return tuple(dict.fromkeys(EVERYTHING if name == EVERYTHING else name for name in names))


def chosen_layers(
    texts: Sequence[str] | None, own: Mapping[str, OwnLayer], root: Path
) -> tuple[OwnLayer | LayerReference, ...]:
    """Return the layers that `texts` name: configured ones, or files that belong to `root`.

    A function that says nothing (None) takes all that are configured. Raises UsageError for a
    name nobody configured, a file that is not there and a layer named twice.
    """
    if texts is None:
        return tuple(own.values())
    chosen = tuple(own.get(text) or _reference(text, own, root) for text in texts)
    names = [layer.name for layer in chosen]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"`layers` names two layers `{name}`", hint="name each layer once, in its order"
            )
    return chosen


def _reference(text: str, own: Mapping[str, OwnLayer], root: Path) -> LayerReference:
    path = joined(root, text)
    if path.is_dir():
        raise UsageError(
            f"`layers`: `{text}` is a folder, not a layer zip",
            hint=f"(cd {text} && zip -qr ../{path.name}.zip .), and name that zip",
        )
    if not text.endswith(_FILES):
        near = nearest(text, tuple(own))
        raise UsageError(
            f"`layers`: no layer `{text}` is configured",
            hint=f"did you mean `{near}`?" if near else f"[tool.lpack.layers.{text}]",
        )
    if not path.is_file():
        raise UsageError(f"`layers`: there is no file `{text}`")
    name = path.name
    for ending in (*_FILES, ".layer"):
        name = name.removesuffix(ending)
    return LayerReference(name, path)
