"""The image part of a manifest, and of the report. Pure."""

from typing import Any

from packager.model.image import BaseImage, ImageArtifact, ImageBlob


def image_of(artifact: ImageArtifact) -> dict[str, Any]:
    """Return everything known of an image that a zip does not have."""
    return {
        "format": artifact.format,
        "root": artifact.root,
        "base": _base(artifact.base),
        "config_digest": artifact.config_digest,
        "manifest_bytes": artifact.manifest_bytes,
        "archive": artifact.archive,
        "blobs": [_blob(blob) for blob in artifact.blobs],
    }


def base_bytes(artifact: ImageArtifact) -> tuple[int, int]:
    """Return the base's bytes, uncompressed and compressed."""
    blobs = [blob for blob in artifact.blobs if blob.from_base]
    return (
        sum(blob.uncompressed_bytes for blob in blobs),
        sum(blob.compressed_bytes for blob in blobs),
    )


def image_lines(artifact: ImageArtifact, shown_path: str) -> list[str]:
    """Name the layout, its digest, and how its own layers are cut."""
    own = [blob for blob in artifact.blobs if not blob.from_base]
    base = artifact.base
    digest = f"@{base.digest[:23]}…" if base.digest else ""
    lines = [
        f"{shown_path}  sha256:{artifact.sha256}",
        f"  {len(own)} layers of its own on {base.reference}{digest}",
    ]
    if artifact.archive:
        lines.append(f"  docker load < {artifact.archive}")
    return lines


def _base(base: BaseImage) -> dict[str, Any]:
    """Describe the base; an absolute path of this machine is none of a manifest's business."""
    shown = base.reference
    if base.kind != "registry":
        shown = shown.replace("\\", "/").rstrip("/").rpartition("/")[2] or shown
    return {
        "kind": base.kind,
        "reference": shown,
        "digest": base.digest,
        "index_digest": base.index_digest,
        "client": base.client,
        "runtime": base.runtime,
    }


def _blob(blob: ImageBlob) -> dict[str, Any]:
    return {
        "digest": blob.digest,
        "diff_id": blob.diff_id,
        "owners": list(blob.owners),
        "compressed_bytes": blob.compressed_bytes,
        "uncompressed_bytes": blob.uncompressed_bytes,
        "from_base": blob.from_base,
    }
