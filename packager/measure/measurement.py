"""Measure a written zip: exact bytes by owner, and the limits. Pure."""

from packager.measure.limits import check_limits
from packager.measure.shares import shares
from packager.model.artifact import Contents, ZipArtifact
from packager.model.build import Measurement, Share
from packager.model.payload import Dependencies


def measure(dependencies: Dependencies, artifact: ZipArtifact, *, upload: str) -> Measurement:
    """Measure what `artifact` holds of every distribution and of the user's code.

    The compressed bytes of all owners and the 22 bytes of the end record are the whole zip.
    """
    owned = {contents.owner: _figures(contents) for contents in artifact.contents}
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
        limits=check_limits(
            dependencies.target.limits,
            compressed_bytes=artifact.compressed_bytes,
            uncompressed_bytes=artifact.uncompressed_bytes,
            upload=upload,
        ),
    )


def _figures(contents: Contents) -> tuple[int, int, int]:
    return len(contents.records), contents.compressed_bytes, contents.uncompressed_bytes
