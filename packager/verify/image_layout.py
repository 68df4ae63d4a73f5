"""What an image layout holds: its documents, its layers, and each held against its digest."""

import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from packager.errors import CannotBuild
from packager.model.image import hex_of, own_layers
from packager.model.passing_reader import PassingReader
from packager.parsing import parse_json

BAD_LAYER = (OSError, EOFError, ValueError, zlib.error, tarfile.TarError)
"""What a damaged layer raises while it is read."""

_LARGEST_DOCUMENT_BYTES = 4 << 20
_LARGEST_LAYER_BYTES = 32 << 30
_CHUNK = 1 << 20


class ReadLayout(NamedTuple):
    """A layout's only image; `digests` are its layers, the lowest first, `own` those of lpack."""

    folder: Path
    manifest_digest: str
    manifest: dict[str, Any]
    config: dict[str, Any]
    digests: tuple[str, ...]
    own: tuple[str, ...]

    def blob(self, digest: str) -> Path:
        """Where a blob lies."""
        return blob_path(self.folder, digest)


def is_image_layout(path: Path) -> bool:
    """Tell whether `path` is the folder of an image layout."""
    return (path / "oci-layout").is_file()


def blob_path(folder: Path, digest: str) -> Path:
    """Where the blob `digest` lies in the layout `folder`; raises ValueError for no digest."""
    return folder / "blobs" / "sha256" / hex_of(digest)


def open_layout(folder: Path) -> ReadLayout:
    """Read index, manifest and configuration; raises CannotBuild when they are not right."""
    try:
        index = parse_json(_small(folder / "index.json"))
        digest = str(index["manifests"][0]["digest"])
        manifest = parse_json(_proven(folder, digest))
        config = parse_json(_proven(folder, manifest["config"]["digest"]))
        digests = tuple(str(each["digest"]) for each in manifest["layers"])
        own = own_layers(config, digests)
    except OSError as error:
        raise CannotBuild(
            f"cannot read `{folder}`: {error.strerror or error}", hint="lpack build"
        ) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise CannotBuild(
            f"`{folder}` is no whole image layout: {error}", hint="lpack build"
        ) from error
    return ReadLayout(folder, digest, manifest, config, digests, own)


class OpenLayer(NamedTuple):
    """A layer while it is read, its tar and its digest so far."""

    archive: tarfile.TarFile
    passing: PassingReader
    rest: BinaryIO

    def diff_id(self) -> str:
        """Read to the end and return the digest of the whole tar."""
        while self.rest.read(_CHUNK):
            pass
        return "sha256:" + self.passing.digest.hexdigest()


@contextmanager
def open_layer(path: Path) -> Iterator[OpenLayer]:
    """Open a gzipped layer to be read once, front to back; raises what `BAD_LAYER` lists."""
    with path.open("rb") as file, GzipFile(fileobj=file) as inflated:
        passing = PassingReader(inflated, limit_bytes=_LARGEST_LAYER_BYTES)
        rest = cast("BinaryIO", BufferedReader(passing, _CHUNK))
        with tarfile.open(fileobj=rest, mode="r|", errorlevel=2) as archive:
            yield OpenLayer(archive, passing, rest)


def digest_of_file(path: Path) -> str:
    """Return the digest of the file at `path`; raises OSError."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _proven(folder: Path, digest: str) -> bytes:
    content = _small(blob_path(folder, digest))
    if hashlib.sha256(content).hexdigest() != hex_of(digest):
        raise ValueError(f"{digest} has other bytes than its name says")
    return content


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(_LARGEST_DOCUMENT_BYTES + 1)
    if len(content) > _LARGEST_DOCUMENT_BYTES:
        raise ValueError(f"`{path.name}` is larger than 4 MiB")
    return content
