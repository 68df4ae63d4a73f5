"""The manifest of a layer: what a function built against it, and the proof of it, need. Pure.

`layer_manifest.schema.json` beside this file is its published schema. Like a function's, it holds
no clock, no absolute path, no URL and no credential.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from packager import __version__
from packager.model.artifact import ZipArtifact
from packager.model.build import BuiltLayer, LimitCheck
from packager.model.payload import Distribution, TargetFacts
from packager.report.manifest import (
    SCHEMA_VERSION,
    artifact_facts,
    file_rows,
    limit_row,
    target_facts,
)


def layer_manifest_of(
    layer: BuiltLayer,
    artifact: ZipArtifact,
    target: TargetFacts,
    distributions: Sequence[Distribution],
    *,
    requires: Mapping[str, Sequence[str]],
    limits: Sequence[LimitCheck],
) -> dict[str, Any]:
    """Return the manifest of `layer`, written as `artifact` for `target`.

    `requires` are the requirements of each of its `distributions` that hold on the target.
    """
    contents = {owned.owner: owned for owned in artifact.contents}
    rows = []
    for each in distributions:
        owned = contents[f"{each.name} {each.version}"]
        rows.append(
            {
                "name": each.name,
                "version": each.version,
                "wheel": each.wheel,
                "wheel_sha256": each.wheel_sha256,
                "requires": list(requires.get(each.name, ())),
                "entries": len(owned.records),
                "compressed_bytes": owned.compressed_bytes,
                "uncompressed_bytes": owned.uncompressed_bytes,
                "dropped": [list(row) for payload in each.payloads for row in payload.dropped],
                "stripped": [list(row) for row in each.payload.stripped],
                "files": file_rows(owned.records),
            }
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "lpack": __version__,
        "layer": {"name": layer.name, "root": layer.root},
        "target": target_facts(target),
        "artifact": {"kind": "layer", **artifact_facts(artifact)},
        "limits": [limit_row(check) for check in limits],
        "fits": all(check.passed for check in limits),
        "distributions": rows,
    }
