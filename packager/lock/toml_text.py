"""Writing a PEP 751 document as TOML: the few shapes it has, without a dependency.

Tables are written as sections, arrays of tables below the top as inline tables, one in a line.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def render_document(document: Mapping[str, Any]) -> str:
    """Render a lock: plain values first, then every `[[packages]]`, then `[tool...]`."""
    lines = [
        f"{_key(key)} = {_value(value)}"
        for key, value in document.items()
        if key not in {"packages", "tool"}
    ]
    for package in document.get("packages", ()):
        lines += ["", "[[packages]]"]
        lines += [f"{_key(key)} = {_rows(value)}" for key, value in package.items()]
    for name, table in document.get("tool", {}).items():
        lines += ["", f"[tool.{_key(name)}]"]
        lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _rows(value: Any) -> str:  # noqa: ANN401 -- whatever TOML holds
    """Render an array of tables with one table a line, anything else in one line."""
    if _is_array(value) and value and all(isinstance(item, Mapping) for item in value):
        return "[\n" + "".join(f"    {_value(item)},\n" for item in value) + "]"
    return _value(value)


def _value(value: Any) -> str:  # noqa: ANN401, PLR0911 -- one return for each type of TOML
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if _is_array(value):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"TOML has no {type(value).__name__}")


def _string(text: str) -> str:
    """Quote `text`; JSON's escapes are TOML's, but for DEL, which JSON leaves bare."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _is_array(value: Any) -> bool:  # noqa: ANN401 -- whatever TOML holds
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
