"""A function's settings as a statement of provenance may tell them. Pure."""

from pathlib import Path, PurePath
from typing import Any, Final

from packager.inputs.setting_table import SETTINGS
from packager.model.image_settings import ImageSettings
from packager.model.project import Function

_NOT_TOLD: Final = frozenset(
    # Places on this machine and private servers; what does not decide what is built.
    {"catalog", "trace", "target-dir", "index-url", "extra-index-urls"}
    | {"budgets", "sbom", "provenance", "builder-id"}
)


def shown_settings(function: Function) -> dict[str, Any]:
    """Return the settings that are not at their defaults, as JSON-ready values.

    Places are seen from the project; of what lies outside only the name is told. The values of an
    image's environment and labels are not told: people put secrets into them.
    """
    shown: dict[str, Any] = {}
    for setting in SETTINGS:
        if setting.key in _NOT_TOLD:
            continue
        field = "sources" if setting.key == "source" else setting.field
        value = getattr(function, field)
        if value != Function._field_defaults.get(field, ...):
            shown[setting.key] = _plain(setting.key, value, function.root)
    return shown


def _plain(key: str, value: Any, root: Path) -> Any:  # noqa: ANN401 -- whatever settings hold
    if key == "layers":
        return [layer.name for layer in value]
    if isinstance(value, ImageSettings):
        return _image(value)
    if isinstance(value, PurePath):
        return _place(value, root)
    if isinstance(value, tuple):
        return [_plain(key, each, root) for each in value]
    if isinstance(value, str) and PurePath(value).is_absolute():
        return _place(PurePath(value), root)
    return value


def _image(settings: ImageSettings) -> dict[str, Any]:
    """Return what is told of an image; its base is among what it was built from."""
    return {
        "command": list(settings.command or ()) or None,
        "entry-point": list(settings.entry_point or ()) or None,
        "environment": [name for name, _ in settings.environment],
        "labels": [name for name, _ in settings.labels],
        "user": settings.user,
        "working-directory": settings.working_directory,
        "format": settings.format,
    }


def _place(path: PurePath, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
