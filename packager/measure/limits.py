"""Measured bytes against AWS's limits. Pure."""

from collections.abc import Sequence

from packager.model.build import LimitCheck
from packager.model.offload import Offloaded
from packager.model.payload import LimitFact


def check_limits(
    limits: Sequence[LimitFact], *, compressed_bytes: int, uncompressed_bytes: int, upload: str
) -> tuple[LimitCheck, ...]:
    """Hold a zip against the limits that concern a zip.

    Source of the rules: AWS Lambda quotas; strictness as in AWS's error texts.
    """
    measured = {
        "zip_direct_upload": compressed_bytes,
        "zip_edge": compressed_bytes,
        "unzipped": uncompressed_bytes,
    }
    return tuple(
        LimitCheck(
            name=limit.name,
            title=limit.title,
            limit_bytes=limit.bytes,
            measured_bytes=measured[limit.name],
            binding=limit.name != "zip_direct_upload" or upload == "direct",
            source=limit.source,
        )
        for limit in limits
        if limit.name in measured
    )


def check_image_limit(
    limits: Sequence[LimitFact], *, uncompressed_bytes: int
) -> tuple[LimitCheck, ...]:
    """Hold an image, its base included, against the limit of images."""
    return tuple(
        LimitCheck(
            name=limit.name,
            title=limit.title,
            limit_bytes=limit.bytes,
            measured_bytes=uncompressed_bytes,
            binding=True,
            source=limit.source,
        )
        for limit in limits
        if limit.name == "image"
    )


def check_tmp(offloaded: Sequence[Offloaded], *, ephemeral_storage: int) -> tuple[LimitCheck, ...]:
    """Hold what arrives in /tmp against the function's own size of it, in MiB."""
    if not offloaded:
        return ()
    return (
        LimitCheck(
            name="tmp",
            title="/tmp, unpacked",  # noqa: S108 -- the name of a limit
            limit_bytes=ephemeral_storage * 1024 * 1024,
            measured_bytes=sum(archive.disk_bytes for archive in offloaded),
            binding=True,
            source="EphemeralStorage.Size of CreateFunction, as `ephemeral-storage` says",
        ),
    )
