"""One tar of an image for `docker load`, which is an image layout in a tar as well. Deterministic.

Sources: docker's `manifest.json` of saved images; OCI image specification 1.1, image layout. Both
name the same blobs, which stay gzipped: docker inflates layers while it loads them.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from packager.assemble.image_documents import Document, canonical_json, layout_index
from packager.assemble.image_layout import MARKER, BlobDamagedError
from packager.assemble.output import Output, atomic_output
from packager.assemble.tar_stream import END, file_header, folder_header, padding
from packager.model.image import ImageBlob, hex_of
from packager.model.target import Architecture

_CHUNK = 1 << 20
_BLOBS = "blobs/sha256"


def write_archive(
    destination: Path,
    layout: Path,
    config: Document,
    manifest: Document,
    blobs: Sequence[ImageBlob],
    *,
    name: str,
    architecture: Architecture,
) -> None:
    """Write the archive of the image in `layout`; `name` is what docker will call it.

    Raises BlobDamagedError, and CannotBuild for what the disk refuses.
    """
    tag = f"{_repository(name)}:latest"
    loaded = {
        "Config": f"{_BLOBS}/{hex_of(config.digest)}",
        "RepoTags": [tag],
        "Layers": [f"{_BLOBS}/{hex_of(blob.digest)}" for blob in blobs],
    }
    index = layout_index(manifest, architecture=architecture, name="latest", archived_as=tag)
    with atomic_output(destination) as output:
        _add_file(output, "oci-layout", MARKER.encode())
        _add_file(output, "index.json", index)
        _add_file(output, "manifest.json", canonical_json([loaded]))
        for folder in ("blobs", _BLOBS):
            output.write(folder_header(folder, modified_seconds=0))
        for document in (config, manifest):
            _add_file(output, f"{_BLOBS}/{hex_of(document.digest)}", document.content)
        for blob in {each.digest: each for each in blobs}.values():
            _add_blob(output, blob, layout / _BLOBS / hex_of(blob.digest))
        output.write(END)


def _repository(name: str) -> str:
    """Return the name of a function as docker allows it."""
    lower = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return lower or "function"


def _add_file(output: Output, name: str, content: bytes) -> None:
    _add_header(output, name, len(content))
    output.write(content + padding(len(content)))


def _add_header(output: Output, name: str, length: int) -> None:
    header = file_header(name, uncompressed_bytes=length, executable=False, modified_seconds=0)
    output.write(header)


def _add_blob(output: Output, blob: ImageBlob, path: Path) -> None:
    _add_header(output, f"{_BLOBS}/{hex_of(blob.digest)}", blob.compressed_bytes)
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            output.write(chunk)
    if digest.hexdigest() != hex_of(blob.digest):
        raise BlobDamagedError(blob)
    output.write(padding(blob.compressed_bytes))
