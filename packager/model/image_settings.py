"""What the configuration says about images; apart from the images, so that starting is quick."""

from typing import Final, Literal, NamedTuple

PackageType = Literal["zip", "image"]
ImageFormat = Literal["oci", "docker"]
IMAGE_FORMATS: Final[tuple[ImageFormat, ...]] = ("oci", "docker")


class ImageSettings(NamedTuple):
    """What `[tool.lpack.image]` says.

    `base` is a reference or a local path, AWS's image of the runtime when it is None. None
    elsewhere means what the base has, or what AWS's base images have. `working_directory` is
    absolute; the code goes there. `token_hosts` may give tokens for the base's registry.
    """

    base: str | None = None
    command: tuple[str, ...] | None = None
    entry_point: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    working_directory: str | None = None
    format: ImageFormat = "oci"
    token_hosts: tuple[str, ...] = ()
