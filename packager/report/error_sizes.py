"""What of an artifact's sizes and settings causes an error line, from its manifest. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from packager.model.explanation import KnownError
from packager.report.text import mib

_LARGEST = 5
_STATED_TMP_BYTES = 512 * 1024 * 1024
"""What a function has in /tmp unless it asks for more (Lambda quotas)."""


def size_causes(error: KnownError, name: str, manifest: Mapping[str, Any]) -> list[str]:
    """Return sentences on what makes the artifact `name` cause `error`; empty when nothing does."""
    look = _LOOKUPS.get(error.lookup)
    return list(look(error, name, manifest)) if look is not None else []


def _zipped(error: KnownError, name: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    del error
    yield f"`{name}` has {_bytes(manifest['artifact']['compressed_bytes'])} zipped"
    yield from _largest(manifest, "compressed_bytes")


def _unzipped(error: KnownError, name: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    own = int(manifest["artifact"]["uncompressed_bytes"])
    layers = [(each["name"], int(each["uncompressed_bytes"])) for each in _layers(manifest)]
    actual = int(error.parts.get("actual", 0))
    text = f"`{name}` has {_bytes(own)} unzipped"
    if layers:
        listed = ", ".join(f"{layer} {mib(size)}" for layer, size in layers)
        text += f", its layers {mib(sum(size for _, size in layers))} more ({listed})"
    known = own + sum(size for _, size in layers)
    if actual > known:
        text += f"; {mib(actual - known)} are in layers this build does not know of"
    yield text
    yield from _largest(manifest, "uncompressed_bytes")


def _layer_count(error: KnownError, name: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    del error
    layers = _layers(manifest)
    if layers:
        yield f"`{name}` is built for {len(layers)}: {', '.join(each['name'] for each in layers)}"
    else:
        yield f"`{name}` is built for none; those of the function are attached elsewhere"


def _start_up(error: KnownError, name: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    del error
    compiled = sum(row[0].endswith(".pyc") for each in _shipped(manifest) for row in each["files"])
    modules = sum(row[0].endswith(".py") for each in _shipped(manifest) for row in each["files"])
    if modules and not compiled:
        yield f"`{name}` has {modules:,} modules and no bytecode: each is compiled at every start"
    yield from _largest(manifest, "uncompressed_bytes")
    offload = manifest.get("offload")
    if offload:
        yield f"{mib(offload['tmp_bytes'])} are unpacked to /tmp on first use"


def _tmp(error: KnownError, name: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    del error
    offload = manifest.get("offload")
    if offload:
        needed = int(offload["tmp_bytes"])
        text = f"what `{name}` unpacks itself takes {_bytes(needed)} of /tmp"
        if needed > _STATED_TMP_BYTES:
            text += ", more than the 512 MiB a function has unless it asks for more"
        yield text
        return
    moved = sum(
        row[3] for each in _shipped(manifest) for row in each["dropped"] if row[1] == "traced"
    )
    if moved:
        yield f"what a trace set aside takes up to {mib(moved)} of /tmp when it is missed"
    else:
        yield f"`{name}` unpacks nothing to /tmp: the code itself fills it"


def _image(error: KnownError, name: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    if manifest["artifact"]["kind"] != "image":
        yield f"`{name}` is a zip, so the image is another build"
        return
    digest = error.parts.get("digest")
    image = manifest.get("image") or {}
    for blob in image.get("blobs", ()):
        if digest and blob["digest"] == digest:
            whose = "of the base image" if blob["from_base"] else f"of {', '.join(blob['owners'])}"
            yield f"the layer is one {whose}"
            return
    if digest:
        yield f"`{name}` has no layer {digest}: what was pushed is another image"
    else:
        yield f"`{name}` is one manifest, sha256:{manifest['artifact']['sha256']}"


def _largest(manifest: Mapping[str, Any], measure: str) -> Iterator[str]:
    rows = sorted(_shipped(manifest), key=lambda each: -int(each[measure]))[:_LARGEST]
    if rows:
        shown = (f"{row['name']} {row['version']} {mib(int(row[measure]))}" for row in rows)
        yield "the largest are " + ", ".join(shown)


def _shipped(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in manifest.get("distributions", ()) if not each["subtracted"]]


def _layers(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(manifest.get("layers") or ())


def _bytes(amount: int) -> str:
    return f"{mib(amount)} ({amount:,} bytes)"


_LOOKUPS: Mapping[str, Callable[[KnownError, str, Mapping[str, Any]], Iterator[str]]] = {
    "image": _image,
    "image-layer": _image,
    "layers": _layer_count,
    "start-up": _start_up,
    "tmp": _tmp,
    "unzipped": _unzipped,
    "zipped": _zipped,
}
