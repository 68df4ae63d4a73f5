"""The values of settings: their forms in TOML, checked and turned into values. Pure."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from packager.errors import UsageError

# The words of `packager.model.runtime_catalog`, whose imports are too slow for every start.
POLICIES = ("compatible", "always", "never")
SERVICE_OWNERS = ("botocore", "googleapiclient")


class Place(NamedTuple):
    """Where a table stands: the file as shown to people, and the dotted path to the table."""

    file: str
    path: str

    def below(self, key: str) -> "Place":
        """Step into the table `key`."""
        return Place(self.file, self.dotted(key))

    def dotted(self, key: str) -> str:
        """Give the dotted path of `key` in this table."""
        shown = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'
        return f"{self.path}.{shown}" if self.path else shown


def nearest(word: str, choices: Sequence[str], *, cutoff: float = 0.6) -> str | None:
    """Give the choice that looks most like `word`, if any does."""
    import difflib  # noqa: PLC0415 -- loaded only when an error is being worded

    found = difflib.get_close_matches(word, choices, n=1, cutoff=cutoff)
    return found[0] if found else None


def parse_value(key: str, shape: str, value: object, *, place: Place) -> object:
    """Check the value of `key` and turn it into the settings' own form; raises UsageError."""
    if shape == "policies":
        return _parse_policies(value, place=place)
    if shape == "drops":
        return _parse_drops(key, value, place=place)
    if shape == "services":
        return _parse_services(key, value, place=place)
    if shape == "switch":
        if isinstance(value, bool):
            return value
        raise _wrong_type(key, value, "true or false", place=place)
    if shape == "texts":
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        example = f'{key} = ["{value}"]' if isinstance(value, str) else None
        raise _wrong_type(key, value, "a list of strings", place=place, hint=example)
    if not isinstance(value, str) or not value:
        raise _wrong_type(key, value, "a string", place=place)
    return value


def _parse_policies(value: object, *, place: Place) -> tuple[tuple[str, str], ...]:
    if isinstance(value, str):
        value = {"*": value}
    if not isinstance(value, dict):
        raise _wrong_type("subtract", value, "a policy or a table of policies", place=place)
    for name, policy in value.items():
        if policy not in POLICIES:
            where = (
                place.below("subtract").dotted(name) if name != "*" else place.dotted("subtract")
            )
            near = nearest(str(policy), POLICIES)
            raise UsageError(
                f"`{where}` in `{place.file}`: `{policy}` is not a policy",
                hint=f"did you mean `{near}`?" if near else f"one of {', '.join(POLICIES)}",
            )
    # The rule of PEP 503; packaging's function would load its version parser on every start.
    return tuple((re.sub(r"[-_.]+", "-", name).lower(), value[name]) for name in sorted(value))


def _parse_drops(key: str, value: object, *, place: Place) -> tuple[tuple[str, str], ...]:
    expected = "a list of globs, or of tables with `glob` and `reason`"
    if not isinstance(value, list):
        raise _wrong_type(key, value, expected, place=place)
    found = []
    for item in value:
        if isinstance(item, str) and item:
            found.append((item, f"dropped by `{key}`"))
        elif (
            isinstance(item, dict)
            and item.keys() == {"glob", "reason"}
            and all(isinstance(text, str) and text for text in item.values())
        ):
            found.append((item["glob"], item["reason"]))
        else:
            hint = f'{key} = [{{ glob = "pkg/data/**", reason = "never read" }}]'
            raise _wrong_type(key, item, expected, place=place, hint=hint)
    return tuple(found)


def _parse_services(
    key: str, value: object, *, place: Place
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        hint = f'{key} = {{ botocore = ["s3"] }}'
        raise _wrong_type(key, value, "a table of lists", place=place, hint=hint)
    found = []
    for name, listed in sorted(value.items()):
        if name not in SERVICE_OWNERS:
            near = nearest(name, SERVICE_OWNERS)
            raise UsageError(
                f"`{place.below(key).dotted(name)}` in `{place.file}` has no services to choose",
                hint=f"did you mean `{near}`?" if near else f"one of {', '.join(SERVICE_OWNERS)}",
            )
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            inside = place.below(key)
            raise _wrong_type(name, listed, "a list of service names", place=inside)
        found.append((name, tuple(sorted(listed))))
    return tuple(found)


def _wrong_type(
    key: str, value: object, expected: str, *, place: Place, hint: str | None = None
) -> UsageError:
    shown = {bool: "a boolean", int: "an integer", float: "a number", list: "a list"}.get(
        type(value), "a table" if isinstance(value, dict) else "a string"
    )
    if value == "":
        shown = "an empty string"
    return UsageError(
        f"`{place.dotted(key)}` in `{place.file}` must be {expected}, not {shown}", hint=hint
    )
