"""The one table of settings: what may stand in `[tool.lpack]`, of which type, with which words.

Parsing, the check for unknown keys and the reference documentation all derive from `SETTINGS`.
Pure: takes parsed TOML, returns values.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from packager.errors import UsageError
from packager.inputs.budgets import parse_budgets
from packager.inputs.setting_values import Place, nearest, parse_value
from packager.model.budget import Budgets
from packager.model.image_settings import ImageSettings

Shape = Literal[
    "text", "choice", "texts", "path", "policies", "switch", "drops", "services", "bytes",
    "image", "budgets",
]  # fmt: skip

FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What AWS accepts as a function name (CreateFunction, FunctionName)."""


class Setting(NamedTuple):
    """One key of `[tool.lpack]` and of `[tool.lpack.functions.NAME]`.

    `default` is what happens without the key, in words. `choices` belong to the shape `choice`;
    the runtimes are data of another stage and are handed in where values are checked.
    """

    key: str
    shape: Shape
    default: str
    doc: str
    choices: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The name of the field of `Overrides`."""
        return self.key.replace("-", "_")


SETTINGS: tuple[Setting, ...] = (
    Setting("handler", "text", "guessed", "What Lambda calls, as `module.function`."),
    Setting("runtime", "choice", "guessed", "The AWS runtime, such as `python3.13`."),
    Setting(
        "architecture",
        "choice",
        "x86_64",
        "The processor of the function.",
        ("x86_64", "arm64"),
    ),
    Setting(
        "kind",
        "choice",
        "lambda",
        "`edge` holds the function to the limits of Lambda@Edge.",
        ("lambda", "edge"),
    ),
    Setting("source", "texts", "guessed", "Files and folders of your own code."),
    Setting(
        "requirements",
        "texts",
        "guessed",
        "What to bundle: `project`, `extra:NAME`, `group:NAME` or a requirements or lock file.",
    ),
    Setting(
        "include",
        "texts",
        "[]",
        "Globs that bring back files of your code which the default rules leave out.",
    ),
    Setting(
        "exclude",
        "texts",
        "[]",
        "Globs of files of your code to leave out; `!GLOB` takes a file out of the exclusion.",
    ),
    Setting(
        "allow-secrets",
        "texts",
        "[]",
        "Globs of files that look like secrets and shall ship nevertheless.",
    ),
    Setting(
        "allow-sdist",
        "texts",
        "[]",
        "Names of distributions whose source may be built, which runs their code.",
    ),
    Setting(
        "allow-record-mismatch",
        "texts",
        "[]",
        "`NAME==VERSION` of wheels whose files may differ from their RECORD.",
    ),
    Setting(
        "subtract",
        "policies",
        "compatible",
        "Whether distributions that the runtime provides are left out: a policy "
        '(`compatible`, `always`, `never`) or a table such as `{ "*" = "compatible", '
        'boto3 = "never" }`.',
    ),
    Setting("catalog", "path", "built in", "A capture of what the runtime of your account has."),
    Setting("index-url", "text", "pip's configuration", "The package index."),
    Setting("extra-index-urls", "texts", "[]", "Further package indexes, looked into first."),
    Setting(
        "index-strategy",
        "choice",
        "first-index",
        "Whether a name comes from the first index that has it, or from all of them.",
        ("first-index", "unsafe-best-match"),
    ),
    Setting(
        "resolver",
        "choice",
        "auto",
        "Who locks; `auto` is uv when it is installed.",
        ("auto", "uv", "pip"),
    ),
    Setting(
        "upload",
        "choice",
        "direct",
        "`s3` lifts the limit of 50 MiB for direct uploads.",
        ("direct", "s3"),
    ),
    Setting(
        "package-type",
        "choice",
        "zip",
        "What a function becomes: a zip, or a container image made without an engine "
        "([images](images.md)).",
        ("zip", "image"),
    ),
    Setting(
        "image",
        "image",
        "AWS's base image",
        "The image's `base`, `command`, `entry-point`, `environment`, `labels`, `user`, "
        "`working-directory`, `format` and `token-hosts` ([images](images.md)).",
    ),
    Setting(
        "image-archive",
        "switch",
        "false",
        "Whether `NAME.image.tar` for `docker load` is written beside the image.",
    ),
    Setting(
        "slim",
        "choice",
        "inert",
        "Which files of distributions stay out: none, those that nothing on a runtime can use, "
        "also those that lpack's rules name for a distribution and its versions, or, set aside "
        "in archives that are unpacked on a miss, all that `lpack trace` did not see.",
        ("off", "inert", "declared", "traced"),
    ),
    Setting("slim-rules", "texts", "[]", "Declared rules that are off unless they are named."),
    Setting("keep", "texts", "[]", "Globs of distributions' files that ship whatever rules say."),
    Setting(
        "drop",
        "drops",
        "[]",
        'Globs of distributions\' files to leave out: `"GLOB"`, or `{ glob = …, reason = … }`.',
    ),
    Setting(
        "services",
        "services",
        "{}",
        'Cloud services whose data ships, others\' stays out: `{ botocore = ["s3", "sqs"] }`.',
    ),
    Setting("strip", "switch", "true", "Whether native libraries lose their symbols."),
    Setting("release", "switch", "false", "Whether everything is deflated at the best level."),
    Setting(
        "bytecode",
        "bytes",
        "0",
        'Unzipped bytes that bytecode may add (`"30 MiB"`), for a faster start; needs an '
        "interpreter of the target's version.",
    ),
    Setting("trace", "path", ".lpack-trace.json", "What `lpack trace` wrote."),
    Setting(
        "budgets",
        "budgets",
        "{}",
        "What you allow a function to be, beside AWS's limits: see [check](check.md).",
    ),
    Setting("target-dir", "path", "dist", "Where artifacts and manifests are written."),
)

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
    resolver: str | None = None
    upload: str | None = None
    package_type: str | None = None
    image: ImageSettings | None = None
    image_archive: bool | None = None
    slim: str | None = None
    slim_rules: tuple[str, ...] | None = None
    keep: tuple[str, ...] | None = None
    drop: tuple[tuple[str, str], ...] | None = None
    services: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    strip: bool | None = None
    release: bool | None = None
    bytecode: int | str | None = None
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
            raise _unknown_key(key, place, known=(*_BY_KEY, *tables))
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


def check_choice(key: str, value: str, *, name: str, runtimes: Sequence[str]) -> None:
    """Raise UsageError, with the nearest right value, when `value` is none of the choices."""
    choices = tuple(runtimes) if key == "runtime" else _BY_KEY[key].choices
    if value in choices:
        return
    listed = ", ".join(choices)
    near = _SPOKEN.get(value.lower()) or nearest(value, choices, cutoff=0.5)
    if near in choices:
        hint = f"did you mean `{near}`? The choices are {listed}"
    else:
        hint = f"the choices are {listed}"
    raise UsageError(f"{name}: `{value}` is not a known {_NOUN.get(key, key)}", hint=hint)


_NOUN = {
    "index-strategy": "index strategy",
    "upload": "kind of upload",
    "package-type": "type of package",
}
_SPOKEN = {"aarch64": "arm64", "amd64": "x86_64", "x64": "x86_64", "x86-64": "x86_64"}


def _unknown_key(key: str, place: Place, *, known: Sequence[str]) -> UsageError:
    near = nearest(key.lower().replace("_", "-"), known)
    hint = f"did you mean `{near}`?" if near else f"the keys are {', '.join(known)}"
    return UsageError(f"unknown key `{place.dotted(key)}` in `{place.file}`", hint=hint)
