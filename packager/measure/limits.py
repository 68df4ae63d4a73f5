"""Measured bytes against AWS's limits. Pure."""

from collections.abc import Sequence

from packager.model.build import BuiltLayer, LimitCheck
from packager.model.offload import Offloaded
from packager.model.payload import LimitFact


def check_limits(
    limits: Sequence[LimitFact],
    *,
    compressed_bytes: int,
    uncompressed_bytes: int,
    upload: str,
    layers: Sequence[BuiltLayer] = (),
) -> tuple[LimitCheck, ...]:
    """Hold a zip and its layers against the limits that concern them.

    The function's files and its layers' count together; each layer that was written is an upload
    of its own. Source of the rules: AWS Lambda quotas, gettingstarted-limits; strictness as in
    AWS's error texts.
    """
    together = uncompressed_bytes + sum(layer.uncompressed_bytes for layer in layers)
    measured = {
        "zip_direct_upload": compressed_bytes,
        "zip_edge": compressed_bytes,
        "unzipped": together,
    }
    checks = [
        _check(limit, measured[limit.name], upload) for limit in limits if limit.name in measured
    ]
    for limit in limits:
        if limit.name == "zip_direct_upload":
            checks += check_layer_zips(limit, layers, upload=upload)
    return tuple(checks)


def check_layer_zips(
    direct: LimitFact, layers: Sequence[BuiltLayer], *, upload: str
) -> list[LimitCheck]:
    """Hold each layer that was written against the limit of a `direct` upload."""
    return [
        _check(direct, layer.compressed_bytes, upload)._replace(
            name=f"layer:{layer.name}", title=f"layer {layer.name}, direct upload"
        )
        for layer in layers
        if layer.artifact is not None
    ]


def _check(limit: LimitFact, measured_bytes: int, upload: str) -> LimitCheck:
    return LimitCheck(
        name=limit.name,
        title=limit.title,
        limit_bytes=limit.bytes,
        measured_bytes=measured_bytes,
        binding=limit.name != "zip_direct_upload" or upload == "direct",
        source=limit.source,
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
