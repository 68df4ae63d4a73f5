"""Runtime catalogs: what AWS ships in a runtime, shipped with lpack or captured by the user."""

from functools import cache
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from packager.errors import UsageError
from packager.model.runtime_catalog import RuntimeCatalog, RuntimePackage
from packager.parsing import parse_json

_FOLDER = Path(__file__).parent / "data" / "catalog"

_CAPTURE_FORMAT = "lpack-runtime-catalog"
_CAPTURE_VERSION = 1
_CAPTURE_HINT = "deploy and invoke the handler that `lpack runtime capture` prints, keep its answer"
_LARGEST_CAPTURE_BYTES = 8 << 20

_GROUPS = {
    "sdk": "boto3 botocore s3transfer jmespath urllib3 python-dateutil six",
    "runtime-client": "awslambdaric simplejson snapshot-restore-py",
    "tools": "pip setuptools wheel",
}
"""What AWS moves together, for captured packages, which do not say so themselves.

The SDK group is what "you must also deploy Boto3" is about (Lambda Developer Guide,
python-package and runtimes-update).
"""

_GROUP_BY_NAME = {name: group for group, names in _GROUPS.items() for name in names.split()}


@cache
def load_catalog(runtime: str) -> RuntimeCatalog:
    """Return the shipped catalog of `runtime`.

    Raises ValueError for a runtime without data; `load_target` is where users' words are checked.
    """
    import tomllib  # noqa: PLC0415 -- loaded only when a catalog is wanted

    path = _FOLDER / f"{runtime}.toml"
    try:
        with path.open("rb") as stream:
            data = tomllib.load(stream)
    except FileNotFoundError:
        raise ValueError(f"no catalog for {runtime!r}") from None
    packages = [_shipped(name, facts) for name, facts in data["packages"].items()]
    return RuntimeCatalog(
        runtime=data["runtime"],
        packages={package.name: package for package in packages},
        date=data["date"],
        source=data["source"],
        complete=data["complete"],
    )


def _shipped(name: str, facts: dict[str, Any]) -> RuntimePackage:
    """Return one entry of a shipped catalog."""
    return RuntimePackage(
        name=canonicalize_name(name),
        version=Version(facts["version"]) if "version" in facts else None,
        group=facts["group"],
        date=facts["date"],
        source=facts["source"],
        requires=tuple(Requirement(text) for text in facts.get("requires", ())),
        subtractable=facts.get("subtractable", True),
    )


def read_captured_catalog(
    path: Path, runtime: str | None = None, *, architecture: str | None = None
) -> RuntimeCatalog:
    """Return the catalog in `path`, the JSON answer of the capture handler.

    It is exact for the day and the Region it was taken in. Raises UsageError when the file cannot
    be read, is not such an answer, or was taken in another `runtime` or `architecture`.
    """
    data = _read_capture(path)
    for what, wanted in (("runtime", runtime), ("architecture", architecture)):
        found = _text(data, what, path)
        if wanted is not None and found != wanted:
            raise UsageError(
                f"`{path}` was captured on `{found}`, the target is `{wanted}`",
                hint=f"capture it again in a function on {wanted}",
            )
    date = _text(data, "captured", path)
    packages = [_captured(entry, date, path) for entry in _entries(data, path)]
    return RuntimeCatalog(
        runtime=_text(data, "runtime", path),
        # The first one found is the one an import finds: the handler looks in sys.path's order.
        packages={package.name: package for package in reversed(packages)},
        date=date,
        source=f"captured, {path.name}",
        complete=True,
        captured=True,
    )


def _read_capture(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path` after checking that it claims to be a capture."""
    try:
        if path.stat().st_size > _LARGEST_CAPTURE_BYTES:
            raise _odd(path, "it is too large to be one")
        data = parse_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read the runtime catalog `{path}`: {error.strerror or error}",
            hint=_CAPTURE_HINT,
        ) from error
    except ValueError as error:
        raise _odd(path, "it is not JSON") from error
    if not isinstance(data, dict):
        raise _odd(path, "it is not a JSON object")
    if "errorMessage" in data:
        raise _odd(path, "it holds an error of the function that should have made it")
    if data.get("format") != _CAPTURE_FORMAT:
        raise _odd(path, f'`"format": "{_CAPTURE_FORMAT}"` is missing')
    if data.get("version") != _CAPTURE_VERSION:
        raise _odd(path, f"its version is {data.get('version')!r}, not {_CAPTURE_VERSION}")
    return data


def _entries(data: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """Return the packages of a capture, each known to be an object."""
    entries = data.get("packages")
    if not isinstance(entries, list) or not entries:
        raise _odd(path, "it lists no packages")
    if not all(isinstance(entry, dict) for entry in entries):
        raise _odd(path, "an entry of `packages` is not an object")
    return entries


def _captured(entry: dict[str, Any], date: str, path: Path) -> RuntimePackage:
    """Return one entry of a capture."""
    raw_name = _text(entry, "name", path)
    requires = entry.get("requires") or []
    if not isinstance(requires, list):
        raise _odd(path, f"`requires` of `{raw_name}` is not a list")
    try:
        name = canonicalize_name(raw_name, validate=True)
        version = Version(_text(entry, "version", path))
        requirements = tuple(Requirement(str(text)) for text in requires)
    except (InvalidName, InvalidVersion, InvalidRequirement) as error:
        raise _odd(path, f"`{raw_name}`: {str(error).splitlines()[0]}") from error
    return RuntimePackage(
        name=name,
        version=version,
        group=_group(name),
        date=date,
        source=f"captured, {path.name}",
        requires=requirements,
        subtractable=_group(name) != "tools",
    )


def _group(name: NormalizedName) -> str:
    """Return the group of a captured package; whatever else AWS ships is one group."""
    return _GROUP_BY_NAME.get(name, "other")


def _text(data: dict[str, Any], key: str, path: Path) -> str:
    """Return the non-empty text at `key`."""
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise _odd(path, f"`{key}` is missing or not text")
    return value


def _odd(path: Path, reason: str) -> UsageError:
    """Word the refusal of a captured catalog."""
    return UsageError(f"`{path}` is not a captured runtime catalog: {reason}", hint=_CAPTURE_HINT)
