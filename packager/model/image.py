"""Words of container images: media types, descriptors, references. Pure.

Sources: OCI image specification 1.1 (image layout, manifest, config), the Docker image manifest
version 2 schema 2, and what Lambda takes of both (Developer Guide, images-create).
"""

from typing import Final, Literal, NamedTuple

ImageFormat = Literal["oci", "docker"]
IMAGE_FORMATS: Final[tuple[ImageFormat, ...]] = ("oci", "docker")

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


def hex_of(digest: str) -> str:
    """Return the lower-case hex of `sha256:HEX`; raises ValueError for anything else."""
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError(f"`{digest[:90]}` is no sha256 digest")
    return value
