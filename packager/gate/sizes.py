"""What a manifest says an artifact measures. Pure."""

from collections.abc import Mapping
from typing import Any


def unzipped_bytes(manifest: Mapping[str, Any]) -> int:
    """Return what counts against AWS's limit, with layers, or the artifact's own bytes."""
    for limit in manifest["limits"]:
        if limit["name"] == "unzipped":
            return int(limit["measured_bytes"])
    return int(manifest["artifact"]["uncompressed_bytes"])
