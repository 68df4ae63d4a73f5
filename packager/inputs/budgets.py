"""`[tool.lpack.budgets]`: what the user allows an artifact to be. Pure."""

import re
from typing import Any

from packager.errors import UsageError
from packager.inputs.nearest import nearest
from packager.inputs.setting_values import NUMBER, Place, parse_bytes
from packager.model.budget import Allowance, Budgets, Increase

_MILLISECONDS = {"ms": 1.0, "s": 1000.0}


def parse_budgets(value: object, *, place: Place) -> Budgets:
    """Turn the table at `place` into budgets; raises UsageError naming file and key."""
    if not isinstance(value, dict):
        raise UsageError(
            f"`{place.path}` in `{place.file}` must be a table", hint=f"[{place.path}]"
        )
    values: dict[str, Any] = {}
    for key, text in value.items():
        parse = _PARSERS.get(key)
        if parse is None:
            near = nearest(key.lower().replace("_", "-"), tuple(_PARSERS))
            known = f"the keys are {', '.join(_PARSERS)}"
            raise UsageError(
                f"unknown key `{place.dotted(key)}` in `{place.file}`",
                hint=f"did you mean `{near}`?" if near else known,
            )
        field = "init_ms" if key == "init" else key.replace("-", "_")
        values[field] = parse(text, key, place)
    return Budgets(**values)


def parse_budget_options(texts: tuple[str, ...]) -> Budgets:
    """Turn `KEY=VALUE` of the command line into budgets; raises UsageError."""
    table: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not value:
            raise UsageError(f"`--budget {text}` has no value", hint='--budget zip="20 MiB"')
        first, _, name = key.strip().partition(".")
        if first == "distributions" and name:
            named = table.setdefault(first, {})
            assert isinstance(named, dict)  # noqa: S101 -- only this branch makes the key
            named[name] = value.strip()
        else:
            table[key.strip()] = _option_value(key.strip(), value.strip())
    return parse_budgets(table, place=Place("--budget", ""))


def _option_value(key: str, text: str) -> object:
    if key == "files" and text.isdigit():
        return int(text)
    if key == "new-distributions":
        named = [name.strip() for name in text.split(",")]
        return {"true": True, "false": False}.get(text, named)
    if key == "max-increase":
        return [part.strip() for part in text.split(",")]
    return text


def _size(value: object, key: str, place: Place) -> int:
    return parse_bytes(value, name=f"`{place.dotted(key)}` in `{place.file}`")


def _count(value: object, key: str, place: Place) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _wrong(key, value, "a number of files", place, hint=f"{key} = 4000")


def _duration(value: object, key: str, place: Place) -> float:
    found = re.fullmatch(rf"{NUMBER}\s*(ms|s)", str(value).strip())
    if found is None:
        raise _wrong(key, value, "a duration", place, hint=f'{key} = "800 ms"')
    return float(found[1]) * _MILLISECONDS[found[2]]


def _increase(value: object, key: str, place: Place) -> Increase:
    parts = value if isinstance(value, list) else [value]
    hint = f'{key} = ["5 %", "500 KiB"]'
    percent: float | None = None
    amount: int | None = None
    for part in parts:
        found = re.fullmatch(rf"{NUMBER}\s*%", str(part).strip())
        if found is not None and percent is None:
            percent = float(found[1])
        elif found is None and amount is None:
            try:
                amount = _size(part, key, place)
            except UsageError as error:
                raise _wrong(key, part, "a percentage or a size", place, hint=hint) from error
        else:
            raise _wrong(key, value, "one percentage, one size, or both", place, hint=hint)
    if percent is None and amount is None:
        raise _wrong(key, value, "one percentage, one size, or both", place, hint=hint)
    return Increase(percent, amount)


def _new_distributions(value: object, key: str, place: Place) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if isinstance(value, list) and all(isinstance(name, str) and name for name in value):
        return tuple(sorted(_normal(name) for name in value))
    hint = f'{key} = false, or {key} = ["numpy"]'
    raise _wrong(key, value, "true, false or a list of names", place, hint=hint)


def _distributions(value: object, key: str, place: Place) -> tuple[Allowance, ...]:
    hint = f'{key} = {{ numpy = "60 MiB", scipy = {{ zip = "30 MiB" }} }}'
    if not isinstance(value, dict):
        raise _wrong(key, value, "a table of sizes", place, hint=hint)
    inside = place.below(key)
    found = []
    for name, entry in value.items():
        sizes = entry if isinstance(entry, dict) else {"unzipped": entry}
        if not sizes or sizes.keys() - {"zip", "unzipped"}:
            raise _wrong(name, entry, "a size, or `zip` and `unzipped`", inside, hint=hint)
        amounts = {word: _size(size, name, inside) for word, size in sizes.items()}
        found.append(Allowance(_normal(name), amounts.get("zip"), amounts.get("unzipped")))
    return tuple(found)


def _normal(name: str) -> str:
    """Normalize a name as PEP 503 says, without loading a library at every start."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _wrong(key: str, value: object, expected: str, place: Place, *, hint: str) -> UsageError:
    return UsageError(
        f"`{place.dotted(key)}` in `{place.file}` must be {expected}, not `{value}`", hint=hint
    )


_PARSERS = {
    "zip": _size,
    "unzipped": _size,
    "files": _count,
    "init": _duration,
    "max-increase": _increase,
    "new-distributions": _new_distributions,
    "distributions": _distributions,
}
