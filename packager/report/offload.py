"""What a manifest says of distributions that arrive in /tmp. Pure."""

from typing import Any

from packager.model.offload import FOLDER
from packager.model.payload import Dependencies
from packager.model.project import Function


def offload_of(function: Function, dependencies: Dependencies) -> dict[str, Any] | None:
    """Return the manifest's `offload`: null when nothing is offloaded.

    An archive's path is a file of the zip, or seen from the manifest's folder. Paths are all that
    differs from what the bootstrap reads.
    """
    found = [(each, each.offloaded) for each in dependencies.shipped if each.offloaded is not None]
    if not found:
        return None
    nested = function.offload_from == "zip"
    folder = FOLDER if nested else f"{function.name}.offload"
    return {
        "form": "nested" if nested else "s3",
        "codec": found[0][1].codec,
        "tmp_bytes": sum(archive.disk_bytes for _, archive in found),
        "archives": [
            {**archive.facts(each.name, each.version), "archive": f"{folder}/{archive.archive}"}
            for each, archive in found
        ],
    }
