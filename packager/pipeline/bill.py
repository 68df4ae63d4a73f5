"""A bill of materials of any artifact, derived from nothing but what is in it.

inspect → what distributions say of themselves → CycloneDX
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.inspect.own_words import read_supply
from packager.pipeline.inspection import inspecting
from packager.report.cyclonedx import render_cyclonedx


def bill_of(
    path: Path,
    *,
    manifest: Mapping[str, Any] | None,
    runtime: str | None = None,
    architecture: str | None = None,
) -> str:
    """Return the bill of the artifact at `path`; `manifest` is lpack's own when it built it.

    Raises UsageError for what is no artifact, and when the library is not installed.
    """
    if manifest is not None:
        runtime = runtime or manifest["target"]["runtime"]
        architecture = architecture or manifest["target"]["architecture"]
    with inspecting(path, runtime=runtime, architecture=architecture) as inspection:
        told = manifest if manifest is not None else _with_digest(path, inspection.manifest)
        owned = inspection.ownership.distributions
        supplies = {each.name: read_supply(inspection.opened, each) for each in owned}
        return render_cyclonedx(told, supplies)


def _with_digest(path: Path, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the sha256 of an artifact that is a file; an image has the digest of its manifest."""
    image = manifest["image"]
    if image is not None:
        sha256 = image["manifest_sha256"].removeprefix("sha256:")
    elif path.is_file():
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    else:
        return manifest
    return {**manifest, "artifact": {**manifest["artifact"], "sha256": sha256}}
