"""Hold an image layout against its manifest by reading everything: digests, tars, every file."""

import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packager.errors import CannotBuild
from packager.verify.image_figures import check_image_figures
from packager.verify.image_layout import (
    BAD_LAYER,
    OpenLayer,
    ReadLayout,
    digest_of_file,
    open_layer,
    open_layout,
)

_CHUNK = 1 << 20


def check_image(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Recompute every claim of `manifest` from the layout in `folder`; return what is wrong.

    Raises CannotBuild when it cannot be read at all.
    """
    faults = list(check_image_figures(manifest))
    try:
        layout = open_layout(folder)
    except CannotBuild as error:
        return [*faults, error.message]
    image = manifest["image"]
    if layout.manifest_digest != f"sha256:{manifest['artifact']['sha256']}":
        faults.append(f"the image is {layout.manifest_digest}, the manifest says otherwise")
    if layout.manifest["config"]["digest"] != image["config_digest"]:
        faults.append("the configuration has another digest than the manifest says")
    digests = [blob["digest"] for blob in image["blobs"]]
    if list(layout.digests) != digests:
        return [*faults, "the image has other layers than the manifest lists"]
    diff_ids = list((layout.config.get("rootfs") or {}).get("diff_ids") or ())
    if diff_ids != [blob["diff_id"] for blob in image["blobs"]]:
        faults.append("the configuration lists other contents than the manifest")
    claimed = _claimed(manifest)
    for blob in image["blobs"]:
        faults.extend(_check_blob(layout, blob, claimed, manifest))
    faults.extend(f"`{name}` is not in the image" for name in sorted(claimed))
    return faults


def _claimed(manifest: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the manifest's rows by their paths in the image."""
    root = manifest["image"]["root"].strip("/")
    owners = [*manifest["distributions"], manifest["code"]]
    return {f"{root}/{row[0]}": row for owner in owners for row in owner["files"]}


def _check_blob(
    layout: ReadLayout,
    blob: Mapping[str, Any],
    claimed: dict[str, list[Any]],
    manifest: Mapping[str, Any],
) -> Iterator[str]:
    """Check one layer; files that are found are taken out of `claimed`."""
    digest, path = blob["digest"], layout.blob(blob["digest"])
    try:
        if path.stat().st_size != blob["compressed_bytes"] or digest_of_file(path) != digest:
            yield f"the layer {digest} has other bytes than its name says"
            return
        with open_layer(path) as layer:
            if not blob["from_base"]:
                yield from _check_entries(layer, claimed, manifest)
            else:
                for _ in layer.archive:
                    pass
            if layer.diff_id() != blob["diff_id"]:
                yield f"the layer {digest} holds something else than its diff_id says"
            if layer.passing.passed_bytes != blob["uncompressed_bytes"]:
                yield f"the layer {digest} has {layer.passing.passed_bytes:,} bytes uncompressed"
    except BAD_LAYER as error:
        yield f"the layer {digest} cannot be read: {getattr(error, 'strerror', '') or error}"


def _check_entries(
    layer: OpenLayer, claimed: dict[str, list[Any]], manifest: Mapping[str, Any]
) -> Iterator[str]:
    """Check that a layer of lpack has files of the manifest only, in order, and plain."""
    stamp, before = manifest["artifact"]["stamp"], ""
    for entry in layer.archive:
        if (entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) != (0, 0, "", "", stamp):
            yield f"`{entry.name}` has an owner or a date"
        if entry.isdir():
            if entry.mode != 0o755:
                yield f"the folder `{entry.name}` has the mode {entry.mode:o}"
            continue
        row = claimed.pop(entry.name, None)
        if row is None or not entry.isreg():
            yield f"`{entry.name}` is in the image and not in the manifest"
            continue
        if entry.name.encode() < before.encode():
            yield f"`{entry.name}` is out of order"
        before = entry.name
        found = [entry.size, _crc_of(layer.archive, entry), entry.mode]
        if found != [row[1], row[3], row[4]]:
            yield f"`{entry.name}` is {row[1:]} in the manifest, and {found} in the image"


def _crc_of(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> int:
    crc = 0
    stream = archive.extractfile(entry)
    while stream is not None and (chunk := stream.read(_CHUNK)):
        crc = zlib.crc32(chunk, crc)
    return crc
