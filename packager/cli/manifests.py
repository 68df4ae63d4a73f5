"""Find the manifests that commands about a finished build read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.errors import UsageError

_SUFFIX = ".lpack.json"
_SCHEMA_VERSION = 2
_PARTS = {
    "artifact", "code", "distributions", "fits", "image", "layers", "limits", "offload",
    "subtraction", "target",
}  # fmt: skip


def find_manifests(given: Path | None) -> list[Path]:
    """Return the manifest at `given`, or of the artifact `given`, or all in `dist`.

    Raises UsageError when there is none.
    """
    if given is not None and (given.is_file() or given.suffix == ".oci"):
        beside = given.with_name(given.stem + _SUFFIX)
        return [given if given.name.endswith(_SUFFIX) else beside]
    folder = given if given is not None else Path("dist")
    found = sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else []
    if not found:
        raise UsageError(f"no manifest (NAME{_SUFFIX}) in `{folder}`", hint="lpack build")
    return found


def read_manifest(path: Path) -> Mapping[str, Any]:
    """Read a manifest; raises UsageError when it is none, or of another lpack's schema."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["schema_version"]
        complete = version != _SCHEMA_VERSION or manifest.keys() >= _PARTS
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"`{path}` is not a manifest of lpack", hint="lpack build") from error
    if not complete:
        raise UsageError(f"`{path}` is not a whole manifest of lpack", hint="lpack build")
    if version != _SCHEMA_VERSION:
        raise UsageError(
            f"`{path}` has schema version {version}, this lpack reads {_SCHEMA_VERSION}",
            hint="lpack build",
        )
    result: Mapping[str, Any] = manifest
    return result


def is_foreign(path: Path) -> bool:
    """Tell whether `path` is an artifact, packed or unpacked, that lpack did not build."""
    beside = path.with_name(path.stem + _SUFFIX)
    if path.is_dir() and not (path.suffix == ".oci" and beside.exists()):
        return not any(path.glob(f"*{_SUFFIX}")) and any(path.iterdir())
    named_manifest = path.name.endswith(_SUFFIX)
    return path.exists() and not named_manifest and not beside.exists()
