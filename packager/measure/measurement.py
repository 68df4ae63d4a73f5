"""Measure a zip with its layers, or an image: exact bytes by owner, and the limits. Pure."""

from collections.abc import Sequence

from packager.measure.limits import check_image_limit, check_limits, check_tmp
from packager.measure.shares import shares
from packager.model.artifact import Contents, ZipArtifact
from packager.model.build import BuiltLayer, LimitCheck, Measurement, Share
from packager.model.image import ImageArtifact, ImageContents
from packager.model.payload import Dependencies


def measure(
    dependencies: Dependencies,
    artifact: ZipArtifact | ImageArtifact,
    *,
    upload: str,
    ephemeral_storage: int = 512,
    layers: Sequence[BuiltLayer] = (),
) -> Measurement:
    """Measure what `artifact` and `layers` hold of every distribution and of the user's code.

    The compressed bytes of all owners and the 22 bytes of the end record are the whole zip; those
    of an image are its own layers. What AWS limits of an image is the whole with its base,
    uncompressed: here the sum of the layers' tars, which is never too low. `ephemeral_storage` is
    the size of /tmp in MiB.
    """
    zips = [each.artifact for each in layers if each.artifact is not None]
    owned = {each.owner: _figures(each) for part in (*zips, artifact) for each in part.contents}
    by_name = {d.name: owned[f"{d.name} {d.version}"] for d in dependencies.shipped}
    entries, compressed, uncompressed = owned[""]
    return Measurement(
        shares=shares(dependencies, by_name),
        code=Share(
            name="",
            version="",
            entries=entries,
            compressed_bytes=compressed,
            uncompressed_bytes=uncompressed,
            retained_compressed_bytes=compressed,
            retained_uncompressed_bytes=uncompressed,
        ),
        limits=(
            *_limits(dependencies, artifact, upload, layers),
            *check_tmp(
                [each.offloaded for each in dependencies.shipped if each.offloaded],
                ephemeral_storage=ephemeral_storage,
            ),
        ),
    )


def _limits(
    dependencies: Dependencies,
    artifact: ZipArtifact | ImageArtifact,
    upload: str,
    layers: Sequence[BuiltLayer],
) -> tuple[LimitCheck, ...]:
    limits, uncompressed = dependencies.target.limits, artifact.uncompressed_bytes
    if isinstance(artifact, ImageArtifact):
        return check_image_limit(limits, uncompressed_bytes=uncompressed)
    return check_limits(
        limits,
        compressed_bytes=artifact.compressed_bytes,
        uncompressed_bytes=uncompressed,
        upload=upload,
        layers=layers,
    )


def _figures(contents: Contents | ImageContents) -> tuple[int, int, int]:
    return contents.entries, contents.compressed_bytes, contents.uncompressed_bytes
