"""Configuration, manifest and index of an image, as bytes that are equal for equal input. Pure.

Sources: OCI image specification 1.1; Docker image manifest version 2 schema 2. Which values AWS's
base images have: Lambda Developer Guide, python-image.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from packager.model.image import (
    CREATED_BY,
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    MACHINE_WORDS,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    BaseImage,
    ImageBlob,
)
from packager.model.image_settings import ImageFormat, ImageSettings
from packager.model.target import Architecture

_MEDIA_TYPES: dict[ImageFormat, tuple[str, str, str]] = {
    "oci": (OCI_MANIFEST, OCI_CONFIG, OCI_LAYER),
    "docker": (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER),
}


class Document(NamedTuple):
    """A JSON document as a blob."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """The digest, `sha256:HEX`."""
        return "sha256:" + hashlib.sha256(self.content).hexdigest()

    @property
    def descriptor(self) -> dict[str, Any]:
        """What refers to it."""
        return {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": len(self.content),
        }


def image_config(
    base: BaseImage,
    own: Sequence[ImageBlob],
    settings: ImageSettings,
    *,
    architecture: Architecture,
    handler: str,
    root: str,
    created_seconds: int,
) -> Document:
    """Return the configuration: the base's, with what the settings and the function say."""
    document = {
        key: value
        for key, value in base.config.items()
        if key in {"author", "variant", "os.version", "os.features"}
    }
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created_seconds))
    history = [dict(row) for row in base.config.get("history") or ()]
    # Tools count rows that are no empty layers: a base without history gets rows of its own.
    missing = len(base.blobs) - sum(not row.get("empty_layer") for row in history)
    history += [{"created": created, "created_by": "base"}] * max(0, missing)
    history += [{"created": created, "created_by": _created_by(blob)} for blob in own]
    document |= {
        "architecture": MACHINE_WORDS[architecture],
        "os": "linux",
        "created": created,
        "config": _run_config(base, settings, handler=handler, root=root),
        "rootfs": {"type": "layers", "diff_ids": [blob.diff_id for blob in (*base.blobs, *own)]},
        "history": history,
    }
    media_type = _MEDIA_TYPES[settings.format][1]
    return Document(media_type, canonical_json(document))


def image_manifest(
    config: Document, blobs: Sequence[ImageBlob], *, image_format: ImageFormat
) -> Document:
    """Return the manifest of one architecture; all its media types are of one format.

    A mixture is what Lambda refuses with "layer media type … is not supported".
    """
    manifest_type, _, layer_type = _MEDIA_TYPES[image_format]
    document = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": config.descriptor,
        "layers": [
            {"mediaType": layer_type, "digest": blob.digest, "size": blob.compressed_bytes}
            for blob in blobs
        ],
    }
    return Document(manifest_type, canonical_json(document))


def layout_index(
    manifest: Document, *, architecture: Architecture, name: str, archived_as: str | None = None
) -> bytes:
    """Return `index.json` of a layout with one image, which `name` refers to."""
    annotations = {"org.opencontainers.image.ref.name": name}
    if archived_as:
        annotations["io.containerd.image.name"] = archived_as
    entry = {
        **manifest.descriptor,
        "platform": {"architecture": MACHINE_WORDS[architecture], "os": "linux"},
        "annotations": annotations,
    }
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    return canonical_json(index)


def canonical_json(value: object) -> bytes:
    """Return the one text of `value`."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _created_by(blob: ImageBlob) -> str:
    names = [owner or "the function's code" for owner in blob.owners]
    listed = ", ".join(names[:4])
    return f"{CREATED_BY}{listed}" + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _run_config(
    base: BaseImage, settings: ImageSettings, *, handler: str, root: str
) -> dict[str, Any]:
    config = dict(base.config.get("config") or {})
    config["Env"] = _environment(config.get("Env") or (), settings, root=root)
    config["Entrypoint"] = list(_entry_point(base, settings))
    config["Cmd"] = list(settings.command if settings.command is not None else (handler,))
    config["WorkingDir"] = root
    labels = {**(config.get("Labels") or {}), **dict(settings.labels)}
    if labels:
        config["Labels"] = labels
    if settings.user is not None:
        config["User"] = settings.user
    # Health checks and ports are of no use to Lambda; a base's are none of ours to repeat.
    return {key: value for key, value in config.items() if key in _KEPT}


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What engines take when an image says nothing, and a root file system says nothing."""

_KEPT = frozenset({"Cmd", "Entrypoint", "Env", "Labels", "User", "WorkingDir"})


def _environment(inherited: Sequence[str], settings: ImageSettings, *, root: str) -> list[str]:
    """Return NAME=VALUE in the base's order; LAMBDA_TASK_ROOT is where the code is."""
    values: dict[str, str] = {}
    for text in inherited:
        name, _, value = text.partition("=")
        values[name] = value
    values.setdefault("PATH", _PATH)
    values["LAMBDA_TASK_ROOT"] = root
    values |= dict(settings.environment)
    return [f"{name}={value}" for name, value in values.items()]


def _entry_point(base: BaseImage, settings: ImageSettings) -> Sequence[str]:
    """Return the settings' entry point, AWS's own, or that of the Runtime API client."""
    if settings.entry_point is not None:
        return settings.entry_point
    inherited: Mapping[str, Any] = base.config.get("config") or {}
    if base.client and inherited.get("Entrypoint"):
        return tuple(inherited["Entrypoint"])
    if base.runtime:
        return ("/lambda-entrypoint.sh",)
    return (python_command(base.pythons), "-m", "awslambdaric")


def python_command(pythons: Sequence[str]) -> str:
    """Return how the base's Python is called: `python` where there is one."""
    names = {path.rpartition("/")[2] for path in pythons}
    if not names or "python" in names:
        return "python"
    return "python3" if "python3" in names else min(names)
