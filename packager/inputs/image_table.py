"""`[tool.lpack.image]`: what kind of container image a function becomes. Pure."""

from collections.abc import Callable
from typing import Any

from packager.errors import UsageError
from packager.inputs.nearest import nearest
from packager.inputs.setting_values import Place, wrong_type
from packager.model.image_settings import IMAGE_FORMATS, ImageSettings


def parse_image(key: str, value: object, place: Place) -> ImageSettings:
    """Turn the table `key` into settings; raises UsageError for what is not in it."""
    if not isinstance(value, dict):
        hint = f'[{place.dotted(key)}]\nbase = "registry.example/python:3.13"'.replace("\n", " ")
        raise wrong_type(key, value, "a table", place=place, hint=hint)
    inside = place.below(key)
    found: dict[str, Any] = {}
    for name, each in value.items():
        parse = _KEYS.get(name)
        if parse is None:
            near = nearest(name.lower().replace("_", "-"), tuple(_KEYS))
            hint = f"did you mean `{near}`?" if near else f"the keys are {', '.join(_KEYS)}"
            raise UsageError(f"unknown key `{inside.dotted(name)}` in `{place.file}`", hint=hint)
        found[name.replace("-", "_")] = parse(name, each, inside)
    return ImageSettings(**found)


def _text(key: str, value: object, place: Place) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise wrong_type(key, value, "a string", place=place)
    return value


def _texts(key: str, value: object, place: Place) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    example = f'{key} = ["{value}"]' if isinstance(value, str) else None
    raise wrong_type(key, value, "a list of strings", place=place, hint=example)


def _pairs(key: str, value: object, place: Place) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise wrong_type(key, value, "a table of strings", place=place)
    for name, each in value.items():
        if not isinstance(each, str):
            hint = f'{name} = "{each}"'
            raise wrong_type(name, each, "a string", place=place.below(key), hint=hint)
        if not name or "=" in name or "\0" in name + each:
            raise UsageError(f"`{place.below(key).dotted(name)}` in `{place.file}` is no name")
    return tuple(sorted(value.items()))


def _folder(key: str, value: object, place: Place) -> str:
    text = _text(key, value, place).rstrip("/")
    parts = text.split("/")
    if parts[0] or len(parts) < 2 or not all(parts[1:]) or {".", ".."} & set(parts):
        raise UsageError(
            f"`{place.dotted(key)}` in `{place.file}` is `{value}`, and it must be an absolute "
            "folder of the image",
            hint=f'{key} = "/var/task"',
        )
    return text


def _format(key: str, value: object, place: Place) -> str:
    if value not in IMAGE_FORMATS:
        raise UsageError(
            f"`{place.dotted(key)}` in `{place.file}`: `{value}` is no format of images",
            hint=f"one of {', '.join(IMAGE_FORMATS)}",
        )
    return str(value)


_KEYS: dict[str, Callable[[str, object, Place], object]] = {
    "base": _text,
    "command": _texts,
    "entry-point": _texts,
    "environment": _pairs,
    "labels": _pairs,
    "user": _text,
    "working-directory": _folder,
    "format": _format,
    "token-hosts": _texts,
}
