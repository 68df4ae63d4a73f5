"""Settings as they are written: known keys, right types, right words.

All of it derives from the one table, `setting_table.SETTINGS`, as the reference does.
Pure: takes parsed TOML, returns values.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packager.errors import UsageError
from packager.inputs.budgets import parse_budgets
from packager.inputs.durations import find_moment
from packager.inputs.setting_table import SETTINGS, Setting
from packager.inputs.setting_values import (
    DEMANDS,
    Place,
    parse_value,
    unknown_choice,
    unknown_key,
)
from packager.model.budget import Budgets
from packager.model.image_settings import ImageSettings

__all__ = ["SETTINGS", "Overrides", "Setting", "check_overrides", "parse_settings"]

_BY_KEY = {setting.key: setting for setting in SETTINGS}


class Overrides(NamedTuple):
    """Settings of one origin, such as the command line's; None means not said there.

    Fields are those of `SETTINGS`. `config` is `--config FILE`. Relative paths belong to the
    project's root. `subtract` pairs a name, or `*`, with a policy.
    """

    config: Path | None = None
    handler: str | None = None
    runtime: str | None = None
    architecture: str | None = None
    kind: str | None = None
    source: tuple[str, ...] | None = None
    requirements: tuple[str, ...] | None = None
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    allow_secrets: tuple[str, ...] | None = None
    allow_sdist: tuple[str, ...] | None = None
    allow_record_mismatch: tuple[str, ...] | None = None
    subtract: tuple[tuple[str, str], ...] | None = None
    catalog: str | Path | None = None
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] | None = None
    index_strategy: str | None = None
    exclude_newer: str | None = None
    attestations: tuple[tuple[str, str], ...] | None = None
    publishers: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    trusted_root: str | Path | None = None
    resolver: str | None = None
    upload: str | None = None
    package_type: str | None = None
    image: ImageSettings | None = None
    image_archive: bool | None = None
    sbom: bool | None = None
    provenance: bool | None = None
    builder_id: str | None = None
    layers: tuple[str, ...] | None = None
    slim: str | None = None
    slim_rules: tuple[str, ...] | None = None
    keep: tuple[str, ...] | None = None
    drop: tuple[tuple[str, str], ...] | None = None
    services: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    strip: bool | None = None
    release: bool | None = None
    bytecode: int | str | None = None
    offload: tuple[str, ...] | None = None
    offload_from: str | None = None
    offload_codec: str | None = None
    offload_url: str | None = None
    ephemeral_storage: int | None = None
    snapstart: bool | None = None
    trace: str | Path | None = None
    budgets: Budgets | None = None
    target_dir: str | Path | None = None


def parse_settings(
    table: Mapping[str, Any], *, place: Place, runtimes: Sequence[str], tables: Sequence[str] = ()
) -> Overrides:
    """Turn a TOML table into values; `tables` are keys that others parse.

    Raises UsageError for unknown keys, wrong types and unknown values, naming file and path.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in tables:
            continue
        setting = _BY_KEY.get(key)
        if setting is None:
            raise unknown_key(key, place, known=(*_BY_KEY, *tables))
        if setting.shape == "budgets":
            values[setting.field] = parse_budgets(value, place=place.below(key))
            continue
        values[setting.field] = parse_value(setting.key, setting.shape, value, place=place)
        if setting.shape == "choice":
            name = f"`{place.dotted(key)}` in `{place.file}`"
            check_choice(setting.key, values[setting.field], name=name, runtimes=runtimes)
    return Overrides(**values)


def check_overrides(overrides: Overrides, *, runtimes: Sequence[str]) -> None:
    """Check the values of the command line as those of a file; raises UsageError."""
    for setting in SETTINGS:
        value = getattr(overrides, setting.field)
        if value is not None and setting.shape == "choice":
            option = "--arch" if setting.key == "architecture" else f"--{setting.key}"
            check_choice(setting.key, value, name=f"`{option}`", runtimes=runtimes)
        for name, word in value if value is not None and setting.shape == "demands" else ():
            if word not in DEMANDS:
                raise unknown_choice(setting.key, word, DEMANDS, name=f"`--{setting.key}` {name}")
        if value is not None and setting.shape == "moment" and find_moment(value) is None:
            raise UsageError(
                f"`--{setting.key}` is `{value}`, neither a date nor a length of time",
                hint=f"--{setting.key} 7d",
            )


def check_choice(key: str, value: str, *, name: str, runtimes: Sequence[str]) -> None:
    """Raise UsageError, with the nearest right value, when `value` is none of the choices."""
    choices = tuple(runtimes) if key == "runtime" else _BY_KEY[key].choices
    if value not in choices:
        raise unknown_choice(key, value, choices, name=name)
