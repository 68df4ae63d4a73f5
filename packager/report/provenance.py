"""What an artifact was built from, as an in-toto statement. Pure.

Sources: in-toto Attestation Framework, Statement v1 and ResourceDescriptor v1; SLSA provenance
v1. lpack does not sign: whoever built it does, with what proves who that is. The statement holds
no clock and no credential, and nothing of private indexes but names of files and digests.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from packager.model.redaction import redact_text

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:lpack:build:v1"
UNSPECIFIED_BUILDER: Final = "urn:lpack:builder:unspecified"
"""Who built is for the one who signs to say: `builder-id` names it."""

FILES_FORMAT: Final = "lines of sha256sum: digest, two blanks, path; ordered by path as bytes"

Descriptor = dict[str, Any]


class Materials(NamedTuple):
    """What went in, and what came out besides the artifact; each as resource descriptors.

    `settings` are the function's, as JSON-ready values. `urls` are those of public wheels, by
    file name. `inputs` are files, commit and lock; `archive` is that for `docker load`.
    """

    settings: Mapping[str, Any]
    urls: Mapping[str, str]
    inputs: Sequence[Descriptor]
    byproducts: Sequence[Descriptor]
    archive: Descriptor | None = None


def render_provenance(manifest: Mapping[str, Any], materials: Materials, *, builder: str) -> str:
    """Return the statement on one line, as `.intoto.jsonl` files hold them."""
    artifact = manifest["artifact"]
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": list(_subjects(manifest, materials)),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _redacted(
                    {"function": manifest["function"]["name"], "settings": materials.settings}
                ),
                "internalParameters": {
                    "encoders": artifact["encoders"],
                    "resolver": manifest["resolver"],
                    "stamp": artifact["stamp"],
                    "catalog_date": manifest["subtraction"]["catalog_date"],
                },
                "resolvedDependencies": [*materials.inputs, *_resolved(manifest, materials.urls)],
            },
            "runDetails": {
                "builder": {
                    "id": builder or UNSPECIFIED_BUILDER,
                    "version": {"lpack": manifest["lpack"]},
                },
                "byproducts": list(materials.byproducts),
            },
        },
    }
    return json.dumps(statement, separators=(",", ":")) + "\n"


def descriptor(name: str, sha256: str, **more: Any) -> Descriptor:  # noqa: ANN401 -- its fields
    """Return a resource descriptor of what has this digest."""
    return {"name": name, **more, "digest": {"sha256": sha256}}


def _subjects(manifest: Mapping[str, Any], materials: Materials) -> Iterable[Descriptor]:
    artifact, offload = manifest["artifact"], manifest["offload"]
    yield descriptor(artifact["path"], artifact["sha256"])
    if materials.archive is not None:
        yield materials.archive
    for layer in manifest["layers"]:
        if not layer["foreign"]:
            yield descriptor(layer["path"], layer["sha256"])
    for archive in offload["archives"] if offload else ():
        if archive["bucket"]:
            yield descriptor(archive["archive"], archive["sha256"])


def _resolved(manifest: Mapping[str, Any], urls: Mapping[str, str]) -> Iterable[Descriptor]:
    """Yield the wheels, layers built elsewhere, and the base image."""
    for row in manifest["distributions"]:
        wheel = row["wheel"]
        more: dict[str, Any] = {"uri": _purl(row["name"], row["version"], wheel)}
        if wheel in urls:
            more["downloadLocation"] = urls[wheel]
        placed = {"placement": row["placement"] or "runtime"}
        if "publishers" in row:
            placed["publishers"] = row["publishers"]
        yield {**descriptor(wheel, row["wheel_sha256"], **more), "annotations": placed}
    for layer in manifest["layers"]:
        if layer["foreign"]:
            yield descriptor(f"layer {layer['name']}", layer["sha256"])
    base = (manifest["image"] or {}).get("base")
    if base and base["digest"]:
        yield descriptor(base["reference"], base["digest"].removeprefix("sha256:"))


def _purl(name: str, version: str, wheel: str) -> str:
    """Return a package URL; names are normalized, so that only versions need escapes."""
    return f"pkg:pypi/{name}@{quote(version, safe='')}?file_name={quote(wheel, safe='')}"


def _redacted(value: Any) -> Any:  # noqa: ANN401 -- JSON-ready values
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {key: _redacted(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value
