"""The files of an image layout's own layers, as a zip: read with the standard library.

Source: OCI image specification 1.1, image layout and layers.
"""

import gzip
import hashlib
import json
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

from packager.errors import CannotBuild
from packager.model.image import hex_of, own_layers
from packager.reference.file_map import member_of

_BROKEN = (OSError, EOFError, ValueError, LookupError, TypeError, zlib.error, tarfile.TarError)


def zip_of_image(folder: Path, destination: Path) -> None:
    """Write the files that lpack put into the image in `folder` to the zip `destination`.

    Folders are left out, everything else keeps its name, type and mode. Raises CannotBuild for a
    layout that is not whole, or a blob whose bytes are not those of its name.
    """
    try:
        index = json.loads((folder / "index.json").read_bytes())
        manifest = _document(folder, index["manifests"][0]["digest"])
        config = _document(folder, manifest["config"]["digest"])
        digests = [str(each["digest"]) for each in manifest["layers"]]
        with zipfile.ZipFile(destination, "w") as output:
            for digest in own_layers(config, digests):
                _add_layer(_proven(folder, digest), output)
    except _BROKEN as error:
        raise CannotBuild(
            f"`{folder}` is no whole image layout: {error}", hint="lpack build"
        ) from error


def _document(folder: Path, digest: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(_proven(folder, digest).read_bytes())
    return value


def _proven(folder: Path, digest: str) -> Path:
    path = folder / "blobs" / "sha256" / hex_of(digest)
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != hex_of(digest):
            raise ValueError(f"{digest} has other bytes than its name says")
    return path


def _add_layer(path: Path, output: zipfile.ZipFile) -> None:
    with gzip.open(path) as inflated, tarfile.open(fileobj=inflated, mode="r|") as archive:
        for entry in archive:
            if entry.isdir():
                continue
            source = archive.extractfile(entry) if entry.isreg() else None
            data = source.read() if source is not None else entry.linkname.encode()
            kind = 0o100000 if entry.isreg() else 0o120000
            output.writestr(member_of(entry.name, kind | entry.mode), data)
