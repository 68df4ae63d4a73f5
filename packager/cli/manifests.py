"""Find the manifests that commands about a finished build read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.parsing import parse_json

MANIFEST = ".lpack.json"
LAYER = ".layer.lpack.json"
_SCHEMA_VERSION = 2
_PARTS = {
    "artifact", "code", "distributions", "fits", "image", "layers", "limits", "offload",
    "subtraction", "target",
}  # fmt: skip
_LAYER_PARTS = {"artifact", "distributions", "fits", "layer", "limits", "target"}


def find_manifests(given: Path | None) -> list[Path]:
    """Return the manifest at `given`, or of the artifact `given`, or all in `dist`.

    Layers' own manifests are returned only when they, or their zips, are `given` themselves.

    Raises UsageError when there is none.
    """
    if given is not None and (given.is_file() or given.suffix == ".oci"):
        beside = given.with_name(given.stem + MANIFEST)
        return [given if given.name.endswith(MANIFEST) else beside]
    folder = given if given is not None else Path("dist")
    found = manifests_in(folder)
    if not found:
        raise UsageError(f"no manifest (NAME{MANIFEST}) in `{folder}`", hint="lpack build")
    return found


def manifests_in(folder: Path) -> list[Path]:
    """Return the manifests of functions in `folder`, ordered by name, without those of layers."""
    listed = sorted(folder.glob(f"*{MANIFEST}")) if folder.is_dir() else []
    return [path for path in listed if not path.name.endswith(LAYER)]


def read_manifest(path: Path, *, layers: bool = False) -> Mapping[str, Any]:
    """Read a manifest; raises UsageError when it is none, or of another lpack's schema.

    That of a layer on its own is only for those who ask for `layers` too.
    """
    try:
        manifest = parse_json(path.read_text(encoding="utf-8"))
        version = manifest["schema_version"]
        is_layer = version == _SCHEMA_VERSION and manifest["artifact"].get("kind") == "layer"
        parts = _LAYER_PARTS if is_layer else _PARTS
        complete = version != _SCHEMA_VERSION or manifest.keys() >= parts
    except (AttributeError, OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"`{path}` is not a manifest of lpack", hint="lpack build") from error
    if not complete:
        raise UsageError(f"`{path}` is not a whole manifest of lpack", hint="lpack build")
    if version != _SCHEMA_VERSION:
        raise UsageError(
            f"`{path}` has schema version {version}, this lpack reads {_SCHEMA_VERSION}",
            hint="lpack build",
        )
    if is_layer and not layers:
        raise UsageError(
            f"`{path}` is the manifest of a layer, and this needs a function",
            hint=f"lpack verify {path}",
        )
    result: Mapping[str, Any] = manifest
    return result


def is_foreign(path: Path) -> bool:
    """Tell whether `path` is an artifact, packed or unpacked, that lpack did not build."""
    beside = path.with_name(path.stem + MANIFEST)
    if path.is_dir() and not (path.suffix == ".oci" and beside.exists()):
        return not any(path.glob(f"*{MANIFEST}")) and any(path.iterdir())
    named_manifest = path.name.endswith(MANIFEST)
    return path.exists() and not named_manifest and not beside.exists()
