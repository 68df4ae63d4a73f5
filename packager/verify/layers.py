"""The layers that a function's manifest names: where they are, and whether they are those.

Source: Lambda Developer Guide, packaging-layers (layers are unpacked into /opt, in their order).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from packager.errors import UsageError
from packager.parsing import parse_json
from packager.verify.artifact import check_artifact, require_digest
from packager.verify.bundle_view import BundleFile, BundleView, zip_view

OPT = "/opt/"
_MANIFEST = ".lpack.json"


def layer_paths(manifest: Mapping[str, Any], folder: Path) -> list[Path]:
    """Return the zips of the layers of the function whose manifest is in `folder`, in order.

    Raises UsageError for one that is not there, or is another than the manifest says.
    """
    paths = []
    for row in manifest.get("layers", ()):
        if row["path"] is None:
            raise UsageError(
                f"the layer `{row['name']}` is not at hand, only its manifest was",
                hint=f"put its zip beside its manifest, and build {manifest['function']['name']}",
            )
        path = Path(os.path.normpath(folder / row["path"]))
        built = f"is not the layer that `{manifest['artifact']['path']}` was built with"
        require_digest(path, row["sha256"], otherwise=built)
        paths.append(path)
    return paths


def check_layers(manifest: Mapping[str, Any], folder: Path) -> list[str]:
    """Recompute every claim about the layers of a function that lpack wrote beside it.

    Returns what is wrong: with the layer's own manifest, and with what the function's says of it.
    """
    faults: list[str] = []
    for row in manifest.get("layers", ()):
        if row["foreign"]:
            continue
        path = folder / row["path"]
        beside = path.with_name(path.stem + _MANIFEST)
        try:
            layer = parse_json(beside.read_text(encoding="utf-8"))
            faults += [f"layer {row['name']}: {fault}" for fault in check_artifact(path, layer)]
            faults += _differences(manifest, row, layer)
        except (OSError, ValueError, KeyError, TypeError):
            faults.append(f"layer {row['name']}: `{beside.name}` is not its manifest")
    return faults


def _differences(
    manifest: Mapping[str, Any], row: Mapping[str, Any], layer: Mapping[str, Any]
) -> Iterator[str]:
    """Yield where the function's manifest says of a layer what the layer's own does not."""
    title = f"layer {row['name']}"
    for field in ("sha256", "code_sha256", "entries", "compressed_bytes", "uncompressed_bytes"):
        if row[field] != layer["artifact"][field]:
            yield f"{title}: its `{field}` is another than the function's manifest says"
    held = {each["name"]: each for each in layer["distributions"]}
    for each in manifest["distributions"]:
        if each["placement"] != f"layer:{row['name']}":
            continue
        theirs = held.get(each["name"])
        if theirs is None or theirs["version"] != each["version"]:
            yield f"{title} does not have {each['name']} {each['version']}"
        elif theirs["files"] != each["files"]:
            yield f"{title}: the files of {each['name']} are others than the manifest says"


@contextmanager
def layered_view(layers: list[Path]) -> Iterator[BundleView]:
    """Show the files of `layers` as they lie below /opt; readable while this is open."""
    files: dict[str, BundleFile] = {}
    with ExitStack() as stack:
        for path in layers:
            view = stack.enter_context(zip_view(path, at=OPT))
            files.update((file.name, file) for file in view)
        yield list(files.values())
