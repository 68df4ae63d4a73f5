"""Nouns as JSON-ready values and back, so that what was resolved once need not be again.

Only nouns of `packager.model` and requests come back to life, built from its own fields.
"""

import importlib
import os
from pathlib import Path
from typing import Any

_NOUNS = ("packager.model.", "packager.cli.building")


def packed(value: Any) -> Any:  # noqa: ANN401 -- whatever nouns hold
    """Return `value` as JSON-ready values; raises TypeError for what cannot be packed."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Path):
        return {"path": os.fspath(value)}
    if isinstance(value, dict):
        return {"map": [[packed(key), packed(each)] for key, each in value.items()]}
    if isinstance(value, tuple):
        fields = [packed(each) for each in value]
        kind = type(value)
        if kind is tuple:
            return fields
        if kind.__module__.startswith(_NOUNS):
            return {"noun": [kind.__module__, kind.__qualname__], "fields": fields}
    raise TypeError(f"{type(value)} cannot be packed")


def unpacked(value: Any) -> Any:  # noqa: ANN401 -- likewise
    """Rebuild what `packed` was given; raises ValueError, TypeError or so for anything else."""
    if isinstance(value, list):
        return tuple([unpacked(each) for each in value])
    if not isinstance(value, dict):
        return value
    if "path" in value:
        return Path(value["path"])
    if "map" in value:
        return {unpacked(key): unpacked(each) for key, each in value["map"]}
    module, name = value["noun"]
    if not module.startswith(_NOUNS):
        raise ValueError(f"{module} holds no nouns")
    noun = getattr(importlib.import_module(module), name)
    return noun(*[unpacked(each) for each in value["fields"]])
