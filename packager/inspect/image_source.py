"""Where an image's parts are: an OCI layout (folder or tar), or what `docker save` writes.

Sources: OCI image-spec 1.1 (image-layout, manifest, layer); moby's image tarball v1.2.
"""

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from packager.errors import UsageError
from packager.parsing import parse_json

_LARGEST_DOCUMENT_BYTES = 8 << 20
_MOST_MANIFESTS = 64


class LayerSource(NamedTuple):
    """One layer: where its blob is, and its size there in bytes."""

    name: str
    digest: str
    compressed_bytes: int


class ImageSource(NamedTuple):
    """An image's manifest digest (hex, empty for docker archives), configuration and layers."""

    manifest_sha256: str
    config_sha256: str
    config: Mapping[str, Any]
    layers: tuple[LayerSource, ...]


class Parts:
    """The files of a layout by name, from a folder or from a tar."""

    def __init__(self, path: Path) -> None:
        """Open the tar at `path`, or remember the folder."""
        self.path = path
        self._tar = None if path.is_dir() else tarfile.open(path)  # noqa: SIM115 -- closed by close()

    def close(self) -> None:
        """Close the tar."""
        if self._tar is not None:
            self._tar.close()

    def open(self, name: str) -> BinaryIO:
        """Open the part `name`; raises UsageError when it is not there."""
        try:
            if self._tar is None:
                # A layout's names are digests or relative; what leads out is not there.
                outside = ".." in name.split("/") or name.startswith("/")
                return (self.path / ("" if outside else name)).open("rb")
            stream = self._tar.extractfile(name)
        except (KeyError, OSError, tarfile.TarError) as error:
            raise self.broken(f"`{name}` is not in it") from error
        if stream is None:
            raise self.broken(f"`{name}` is not a file")
        return cast("BinaryIO", stream)

    def has(self, name: str) -> bool:
        """Tell whether the part `name` is there."""
        if self._tar is None:
            return (self.path / name).is_file()
        return name in self._tar.getnames()

    def size(self, name: str) -> int:
        """Return the size of a part in bytes."""
        with self.open(name) as stream:
            return stream.seek(0, 2)

    def document(self, name: str) -> Any:  # noqa: ANN401 -- whatever the file holds
        """Return the JSON in the part `name`."""
        with self.open(name) as stream:
            data = stream.read(_LARGEST_DOCUMENT_BYTES)
        try:
            return parse_json(data)
        except ValueError as error:
            raise self.broken(f"`{name}` is not the JSON it should be") from error

    def broken(self, reason: str) -> UsageError:
        """Word what is wrong with the image."""
        return UsageError(
            f"`{self.path.name}` is not an image that can be read: {reason}",
            hint="give an OCI layout, or the archive that `docker save` writes",
        )


def find_image(parts: Parts) -> ImageSource:
    """Find the one image, or of several machines' the first for Linux.

    Raises UsageError for what is no image layout.
    """
    try:
        if parts.has("index.json"):
            return _from_layout(parts)
        return _from_docker(parts)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise parts.broken("its manifest lacks what every image has") from error


def _from_layout(parts: Parts) -> ImageSource:
    descriptor = _choose(parts.document("index.json")["manifests"])
    for _ in range(3):
        digest = str(descriptor["digest"])
        manifest = parts.document(_blob(digest))
        if "layers" in manifest:
            break
        descriptor = _choose(manifest["manifests"])
    else:
        raise parts.broken("its index names only other indexes")
    config_digest = str(manifest["config"]["digest"])
    return ImageSource(
        manifest_sha256=digest.partition(":")[2],
        config_sha256=config_digest.partition(":")[2],
        config=parts.document(_blob(config_digest)),
        layers=tuple(
            LayerSource(_blob(each["digest"]), str(each["digest"]), _size(each["size"]))
            for each in manifest["layers"]
        ),
    )


def _size(stated: object) -> int:
    if not isinstance(stated, int):
        raise TypeError(stated)
    return stated


def _choose(manifests: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- a list out of a foreign file
    """Prefer an image for Linux; attestations name an unknown operating system."""
    listed: list[Mapping[str, Any]] = list(manifests)[:_MOST_MANIFESTS]
    for each in listed:
        if (each.get("platform") or {}).get("os", "linux") == "linux":
            return each
    return listed[0]


def _from_docker(parts: Parts) -> ImageSource:
    manifest = parts.document("manifest.json")[0]
    config_name = str(manifest["Config"])
    return ImageSource(
        manifest_sha256="",
        config_sha256=Path(config_name).name.removesuffix(".json"),
        config=parts.document(config_name),
        layers=tuple(
            LayerSource(str(name), str(name), parts.size(str(name))) for name in manifest["Layers"]
        ),
    )


def _blob(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    if not (algorithm.isalnum() and value.isalnum()):
        raise ValueError(digest)
    return f"blobs/{algorithm}/{value}"
