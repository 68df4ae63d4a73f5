"""The values of settings: their forms in TOML, checked and turned into values. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from packager.errors import UsageError
from packager.inputs.durations import find_moment
from packager.inputs.nearest import nearest

# The words of `packager.model.runtime_catalog`, whose imports are too slow for every start.
POLICIES = ("compatible", "always", "never")
DEMANDS = ("off", "verify", "require")
_UNITS = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9,
    "kiB": 2**10, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_NOUN = {
    "index-strategy": "index strategy",
    "upload": "kind of upload",
    "package-type": "type of package",
    "offload-from": "place to offload to",
    "offload-codec": "codec",
    "attestations": "policy",
}
_SPOKEN = {"aarch64": "arm64", "amd64": "x86_64", "x64": "x86_64", "x86-64": "x86_64"}
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


NUMBER = r"(\d{1,18}(?:\.\d{1,18})?)"
"""A number with a unit behind it; with some hundred digits it would be infinite as a float."""

# Function and layer names have one rule (CreateFunction, FunctionName; PublishLayerVersion,
# LayerName): of what AWS accepts, what fits a file name.
_AWS_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def named_tables(table: object, place: Place) -> Iterator[tuple[str, Mapping[str, object], Place]]:
    """Yield each table in the table at `place` with its name and its own place.

    Raises UsageError for what is no table and for names that AWS does not accept.
    """
    if not isinstance(table, dict):
        raise UsageError(f"`{place.path}` in `{place.file}` must be a table")
    for name, entry in table.items():
        if not _AWS_NAME.fullmatch(name):
            raise UsageError(
                f"`{place.dotted(name)}` in `{place.file}` is not a name that AWS accepts",
                hint="letters, digits, `-` and `_`, at most 64",
            )
        if not isinstance(entry, dict):
            raise UsageError(
                f"`{place.dotted(name)}` in `{place.file}` must be a table",
                hint=f"[{place.dotted(name)}]",
            )
        yield name, entry, place.below(name)


def unknown_key(key: str, place: Place, *, known: Sequence[str]) -> UsageError:
    """Word the refusal of a key that is none, with the nearest one or all of them."""
    near = nearest(key.lower().replace("_", "-"), known)
    hint = f"did you mean `{near}`?" if near else f"the keys are {', '.join(known)}"
    return UsageError(f"unknown key `{place.dotted(key)}` in `{place.file}`", hint=hint)


def unknown_choice(key: str, value: str, choices: Sequence[str], *, name: str) -> UsageError:
    """Word the refusal of a value that is none of `choices`, with the nearest right one."""
    listed = ", ".join(choices)
    near = _SPOKEN.get(value.lower()) or nearest(value, choices, cutoff=0.5)
    if near in choices:
        hint = f"did you mean `{near}`? The choices are {listed}"
    else:
        hint = f"the choices are {listed}"
    return UsageError(f"{name}: `{value}` is not a known {_NOUN.get(key, key)}", hint=hint)


def parse_value(key: str, shape: str, value: object, *, place: Place) -> object:
    """Check the value of `key` and turn it into the settings' own form; raises UsageError."""
    if shape == "image":
        # Loaded only for those who have such a table.
        from packager.inputs.image_table import parse_image  # noqa: PLC0415

        return parse_image(key, value, place)
    parse = _PARSERS.get(shape)
    if parse is not None:
        return parse(key, value, place)
    if shape == "texts":
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        example = f'{key} = ["{value}"]' if isinstance(value, str) else None
        raise wrong_type(key, value, "a list of strings", place=place, hint=example)
    if not isinstance(value, str) or not value:
        raise wrong_type(key, value, "a string", place=place)
    return value


def _parse_policies(
    key: str, value: object, place: Place, *, words: Sequence[str] = POLICIES
) -> tuple[tuple[str, str], ...]:
    if isinstance(value, str):
        value = {"*": value}
    if not isinstance(value, dict):
        raise wrong_type(key, value, "a policy or a table of policies", place=place)
    for name, policy in value.items():
        if policy not in words:
            where = place.below(key).dotted(name) if name != "*" else place.dotted(key)
            near = nearest(str(policy), words)
            raise UsageError(
                f"`{where}` in `{place.file}`: `{policy}` is not a policy",
                hint=f"did you mean `{near}`?" if near else f"one of {', '.join(words)}",
            )
    return tuple((normal_name(name), value[name]) for name in sorted(value))


def normal_name(name: str) -> str:
    """Normalize a distribution's name by the rule of PEP 503.

    packaging's function would load its version parser on every start.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _parse_demands(key: str, value: object, place: Place) -> tuple[tuple[str, str], ...]:
    return _parse_policies(key, value, place, words=DEMANDS)


def _parse_publishers(
    key: str, value: object, place: Place
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    # Loaded only for those who name some.
    from packager.model.attestation import parse_publisher  # noqa: PLC0415

    example = 'NAME = "github:OWNER/REPOSITORY"'
    if not isinstance(value, dict):
        raise wrong_type(key, value, "a table", place=place, hint=f"{key} = {{ {example} }}")
    found = []
    for name, listed in sorted(value.items()):
        texts = [listed] if isinstance(listed, str) else listed
        inside = place.below(key)
        if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
            raise wrong_type(name, listed, "a publisher or a list of them", place=inside)
        for text in texts:
            try:
                parse_publisher(text)
            except ValueError as error:
                raise UsageError(
                    f"`{inside.dotted(name)}` in `{place.file}`: `{text}` is no publisher: {error}",
                    hint=example.replace("NAME", name),
                ) from error
        found.append((normal_name(name), tuple(texts)))
    return tuple(found)


def parse_bytes(value: object, *, name: str) -> int:
    """Turn `"30 MiB"`, `"30 MB"` or a number of bytes into bytes; raises UsageError.

    More than 18 digits are no size, see NUMBER.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18:
        return value
    found = re.fullmatch(rf"{NUMBER}\s*([kKMG]i?B|B)?", str(value).strip())
    if isinstance(value, bool) or found is None:
        raise UsageError(f"{name} is `{value}`, not a size", hint='a size is "30 MiB" or "30 MB"')
    return int(float(found[1]) * _UNITS[found[2] or "B"])


def _parse_drops(key: str, value: object, place: Place) -> tuple[tuple[str, str], ...]:
    expected = "a list of globs, or of tables with `glob` and `reason`"
    if not isinstance(value, list):
        raise wrong_type(key, value, expected, place=place)
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
            raise wrong_type(key, item, expected, place=place, hint=hint)
    return tuple(found)


def _parse_services(
    key: str, value: object, place: Place
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        hint = f'{key} = {{ botocore = ["s3"] }}'
        raise wrong_type(key, value, "a table of lists", place=place, hint=hint)
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
            raise wrong_type(name, listed, "a list of service names", place=inside)
        found.append((name, tuple(sorted(listed))))
    return tuple(found)


def wrong_type(
    key: str, value: object, expected: str, *, place: Place, hint: str | None = None
) -> UsageError:
    """Word that `key` has a value of another type than `expected`."""
    shown = {bool: "a boolean", int: "an integer", float: "a number", list: "a list"}.get(
        type(value), "a table" if isinstance(value, dict) else "a string"
    )
    if value == "":
        shown = "an empty string"
    return UsageError(
        f"`{place.dotted(key)}` in `{place.file}` must be {expected}, not {shown}", hint=hint
    )


def _parse_switch(key: str, value: object, place: Place) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong_type(key, value, "true or false", place=place)


def _parse_bytes(key: str, value: object, place: Place) -> int:
    return parse_bytes(value, name=f"`{place.dotted(key)}` in `{place.file}`")


def _parse_mebibytes(key: str, value: object, place: Place) -> int:
    """Take what CreateFunction takes as EphemeralStorage.Size (API reference, 512 to 10,240)."""
    if isinstance(value, int) and not isinstance(value, bool) and 512 <= value <= 10_240:
        return value
    shown = f"`{place.dotted(key)}` in `{place.file}`"
    raise UsageError(f"{shown} is `{value}`, not a number of MiB", hint="512 to 10240")


def _parse_moment(key: str, value: object, place: Place) -> str:
    text = value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, bool) or find_moment(text) is None:
        hint = f'{key} = "7d"'
        raise wrong_type(key, value, "a date or a length of time", place=place, hint=hint)
    return text


_PARSERS: dict[str, Callable[[str, object, Place], object]] = {
    "policies": _parse_policies,
    "demands": _parse_demands,
    "publishers": _parse_publishers,
    "drops": _parse_drops,
    "services": _parse_services,
    "switch": _parse_switch,
    "bytes": _parse_bytes,
    "mebibytes": _parse_mebibytes,
    "moment": _parse_moment,
}
