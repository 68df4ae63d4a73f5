"""Words of container images: media types, descriptors, references. Pure.

Sources: OCI image specification 1.1 (image layout, manifest, config), the Docker image manifest
version 2 schema 2, and what Lambda takes of both (Developer Guide, images-create).
"""

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Self

from packager.model.canonical import Record
from packager.model.image_settings import ImageFormat

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"

INDEXES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})
MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
GZIP_LAYERS: Final = frozenset({OCI_LAYER, DOCKER_LAYER})

MACHINE_WORDS: Final = {"x86_64": "amd64", "arm64": "arm64"}
"""The words of images (GOARCH) for Lambda's architectures."""


CREATED_BY: Final = "lpack: "
"""How the history rows of lpack's own layers begin."""

TASK_ROOT: Final = "/var/task"
"""Where Lambda and AWS's base images have the function's code."""


class Descriptor(NamedTuple):
    """A blob by its digest (`sha256:HEX`) and its length in bytes."""

    media_type: str
    digest: str
    compressed_bytes: int


class Reference(NamedTuple):
    """Where an image is: `host` (with a port), `repository`, and a tag, a digest or both.

    `scheme` is `http` or `https` where the text said so, otherwise empty.
    """

    host: str
    repository: str
    tag: str | None
    digest: str | None
    scheme: str = ""

    @property
    def name(self) -> str:
        """What the registry is asked for: the digest where there is one, otherwise the tag."""
        return self.digest or self.tag or "latest"

    @property
    def text(self) -> str:
        """The reference for people and for deployments."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.host}/{self.repository}{tag}{digest}"


def own_layers(config: Mapping[str, Any], digests: Sequence[str]) -> tuple[str, ...]:
    """Return those of `digests`, the layers of the image with `config`, that lpack made.

    Their history says so; whoever made the others did not.
    """
    rows = [row for row in config.get("history") or () if not row.get("empty_layer")]
    if len(rows) != len(digests):
        return tuple(digests)
    made = (str(row.get("created_by", "")).startswith(CREATED_BY) for row in rows)
    return tuple(digest for digest, own in zip(digests, made, strict=True) if own)


def hex_of(digest: str) -> str:
    """Return the lower-case hex of `sha256:HEX`; raises ValueError for anything else."""
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError(f"`{digest[:90]}` is no sha256 digest")
    return value


class ImageBlob(NamedTuple):
    """One layer of an image, gzipped.

    `diff_id` is the digest of its tar, `uncompressed_bytes` the tar's length. `owners` are those
    whose files are in it: `NAME VERSION`, empty for the user's own code. `path` is where its
    bytes are now.
    """

    digest: str
    diff_id: str
    compressed_bytes: int
    uncompressed_bytes: int
    owners: tuple[str, ...]
    from_base: bool
    path: str


class BaseImage(NamedTuple):
    """What an image stands on.

    `kind` is `registry`, `layout` (a local folder) or `files` (a root file system). `digest` is
    the manifest's, None for files; `index_digest` that of the index it was chosen from.
    `config` is the parsed configuration. `client` tells whether a Runtime API client for Python
    is in it, `runtime` whether it is AWS's image of the runtime, with the SDK. `pythons` are
    paths of interpreters in it.
    """

    kind: Literal["registry", "layout", "files"]
    reference: str
    digest: str | None
    index_digest: str | None
    config: dict[str, Any]
    blobs: tuple[ImageBlob, ...]
    client: bool
    runtime: bool
    pythons: tuple[str, ...]


class ImageContents(NamedTuple):
    """The files one owner has in an image; `compressed_bytes` are what they add to its blobs.

    `uncompressed_bytes` is their sum. `records` are empty where only the figures are known: after
    a change of the user's code nobody looks at the files of distributions.
    """

    owner: str
    entries: int
    compressed_bytes: int
    uncompressed_bytes: int
    records: tuple[Record, ...] = ()

    @classmethod
    def of(cls, owner: str, records: tuple[Record, ...], *, compressed_bytes: int) -> Self:
        """Count `records`."""
        uncompressed = sum([record.uncompressed_bytes for record in records])
        return cls(owner, len(records), compressed_bytes, uncompressed, records)


class ImageArtifact(NamedTuple):
    """An image layout on disk, in the words of `packager.model.artifact.ZipArtifact`.

    `sha256` is the hex of the manifest's digest. The bytes are those of all blobs, the base's
    included; uncompressed, those of their tars. `stamp` is the date of all files in seconds
    since 1970. `archive` is the name of the `docker load` archive beside it.
    """

    path: str
    sha256: str
    compressed_bytes: int
    uncompressed_bytes: int
    stamp: int
    contents: tuple[ImageContents, ...]
    base: BaseImage
    blobs: tuple[ImageBlob, ...]
    format: ImageFormat
    root: str
    manifest_bytes: int
    config_digest: str
    archive: str | None

    @property
    def entries(self) -> int:
        """The number of files beyond the base."""
        return sum(contents.entries for contents in self.contents)

    @property
    def code_sha256(self) -> str:
        """The digest in the form of CodeSha256."""
        return b2a_base64(bytes.fromhex(self.sha256), newline=False).decode()
