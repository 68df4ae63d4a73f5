"""Writes OCI layouts and `docker save` archives layer by layer, for tests of their reader."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from packager.model.image import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST


def layer_tar(files: Mapping[str, bytes | None]) -> bytes:
    """One layer: regular files by name, folders where the value is None."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            info.size = len(data or b"")
            info.mode = 0o755 if data is None else 0o644
            tar.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


def _gzipped(layer: bytes) -> bytes:
    return gzip.compress(layer, mtime=0)


def write_layout(
    folder: Path,
    layers: Sequence[bytes],
    *,
    config: Mapping[str, Any] | None = None,
    pack: Callable[[bytes], bytes] = _gzipped,
    architecture: str = "arm64",
) -> Path:
    """An OCI layout with one image of these layers (tars, packed here with `pack`)."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}

    diff_ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    document = {
        "architecture": architecture,
        "os": "linux",
        "config": dict(config or {}),
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    manifest = {
        "schemaVersion": 2,
        "config": put(json.dumps(document).encode(), OCI_CONFIG),
        "layers": [put(pack(layer), OCI_LAYER) for layer in layers],
    }
    index = {"schemaVersion": 2, "manifests": [put(json.dumps(manifest).encode(), OCI_MANIFEST)]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def write_docker_archive(path: Path, layers: Sequence[bytes]) -> Path:
    """What `docker save` writes, with plain tars as layers."""
    parts = {f"{number}/layer.tar": layer for number, layer in enumerate(layers)}
    listed = [{"Config": "config.json", "RepoTags": None, "Layers": list(parts)}]
    config = {"architecture": "amd64", "os": "linux", "config": {"WorkingDir": "/srv/app"}}
    documents = {"manifest.json": listed, "config.json": config}
    with tarfile.open(path, "w") as tar:
        for name, data in parts.items() | {
            (name, json.dumps(each).encode()) for name, each in documents.items()
        }:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path
