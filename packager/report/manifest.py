"""The manifest: everything known of a build, as JSON-ready values. Pure.

`manifest.schema.json` beside this file is its published schema. It holds no clock, no absolute
path, no URL and no credential, so that equal builds have equal manifests.
"""

import json
from binascii import b2a_base64
from collections.abc import Iterable
from os.path import relpath, sep
from typing import Any

from packager import __version__
from packager.model.artifact import Contents, ZipArtifact
from packager.model.build import Build, BuiltLayer, LimitCheck, Share
from packager.model.canonical import Record
from packager.model.image import ImageArtifact, ImageContents
from packager.model.payload import Distribution, TargetFacts
from packager.model.project import Function
from packager.report.image import image_of
from packager.report.offload import offload_of

SCHEMA_VERSION = 2
_NO_DISTRIBUTIONS = '"distributions":[]'


def manifest_of(build: Build, *, with_distributions: bool = True) -> dict[str, Any]:
    """Return the manifest of `build`; without its distributions, their list is empty."""
    function, artifact, dependencies = build.function, build.artifact, build.dependencies
    zips = [each.artifact for each in build.layers if each.artifact is not None]
    contents = {owned.owner: owned for each in (*zips, artifact) for owned in each.contents}
    shares = {share.name: share for share in build.measurement.shares}
    kind = "image" if isinstance(artifact, ImageArtifact) else "zip"
    return {
        "schema_version": SCHEMA_VERSION,
        "lpack": __version__,
        "function": _function(function),
        "target": target_facts(dependencies.target),
        "artifact": _artifact(build),
        "layers": [_layer(each, artifact) for each in build.layers],
        "offload": offload_of(function, dependencies),
        "image": image_of(artifact) if isinstance(artifact, ImageArtifact) else None,
        "limits": [limit_row(check) for check in build.measurement.limits],
        "fits": build.measurement.fits,
        "resolver": dependencies.resolver,
        "distributions": [
            _distribution(d, shares.get(d.name), contents.get(f"{d.name} {d.version}"), kind)
            for d in (dependencies.distributions if with_distributions else ())
        ],
        "code": {
            **_share(build.measurement.code),
            "files": file_rows(contents[""].records),
            "excluded": [[path, rule] for path, rule in build.excluded],
        },
        "subtraction": {
            "catalog_date": dependencies.catalog_date,
            "catalog_source": dependencies.catalog_source,
            "decisions": [_plain(line) for line in dependencies.subtraction],
            "conflicts": list(dependencies.conflicts),
        },
    }


def _function(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "handler": function.handler,
        "upload": function.upload,
        "release": function.release,
        "requirements": list(function.requirements),
        "guesses": [
            {"setting": g.setting, "value": g.value, "because": g.because} for g in function.guesses
        ],
    }


def _artifact(build: Build) -> dict[str, Any]:
    kind = "image" if isinstance(build.artifact, ImageArtifact) else "zip"
    return {"kind": kind, **artifact_facts(build.artifact), "encoders": list(build.encoders)}


def artifact_facts(artifact: ZipArtifact | ImageArtifact) -> dict[str, Any]:
    """Describe what was written, seen from the folder it is in."""
    return {
        "path": artifact.path.rpartition("/")[2],
        "entries": artifact.entries,
        "compressed_bytes": artifact.compressed_bytes,
        "uncompressed_bytes": artifact.uncompressed_bytes,
        "sha256": artifact.sha256,
        "code_sha256": artifact.code_sha256,
        "stamp": artifact.stamp,
    }


def target_facts(target: TargetFacts) -> dict[str, Any]:
    """Describe the target."""
    return _plain(target, without=("limits",))


def _layer(layer: BuiltLayer, beside: ZipArtifact | ImageArtifact) -> dict[str, Any]:
    """Describe a layer; `path` is seen from the folder of the manifest."""
    known = layer.artifact or layer.foreign
    if known is None:
        raise ValueError(f"the layer {layer.name} was neither built nor found")
    path = known.path
    if path is not None:
        path = relpath(path, beside.path.rpartition("/")[0]).replace(sep, "/")
    return {
        "name": layer.name,
        "path": path,
        "root": layer.root,
        "foreign": layer.artifact is None,
        "sha256": known.sha256,
        "code_sha256": b2a_base64(bytes.fromhex(known.sha256), newline=False).decode(),
        "entries": known.entries,
        "compressed_bytes": layer.compressed_bytes,
        "uncompressed_bytes": layer.uncompressed_bytes,
    }


def render_manifest(manifest: dict[str, Any]) -> str:
    """Return the text of the manifest file."""
    return _text(manifest) + "\n"


def manifest_text(build: Build, *, distributions: str | None = None) -> tuple[str, str]:
    """Return the text of the manifest file of `build`, and of the distributions in it.

    After a change of the user's code the latter is as before: given as `distributions`, its
    thousands of files are not looked at again.
    """
    if distributions is None:
        manifest = manifest_of(build)
        distributions = _text(manifest["distributions"])
        manifest["distributions"] = []
    else:
        manifest = manifest_of(build, with_distributions=False)
    # No text in a value can look like this: its quotes are written as `\\"`.
    before, after = _text(manifest).split(_NO_DISTRIBUTIONS)
    return f"{before}{_NO_DISTRIBUTIONS[:-2]}{distributions}{after}\n", distributions


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:  # noqa: ANN401 -- any flat named tuple
    return {name: getattr(value, name) for name in value._fields if name not in without}


def limit_row(check: LimitCheck) -> dict[str, Any]:
    """Describe one limit and what was measured."""
    return {
        **_plain(check),
        "headroom_bytes": check.headroom_bytes,
        "passed": check.passed,
    }


def _share(share: Share) -> dict[str, Any]:
    return _plain(share, without=("name", "version"))


def _distribution(
    distribution: Distribution,
    share: Share | None,
    contents: Contents | ImageContents | None,
    kind: str,
) -> dict[str, Any]:
    """Describe one distribution; a subtracted one has the bytes it would have added."""
    payload = distribution.payload
    sizes: dict[str, Any] = {
        "entries": payload.entries,
        "compressed_bytes": payload.compressed_bytes,
        "uncompressed_bytes": payload.uncompressed_bytes,
    }
    if share is not None:
        sizes = _share(share)
    return {
        "name": distribution.name,
        "version": distribution.version,
        "wheel": distribution.wheel,
        "wheel_sha256": distribution.wheel_sha256,
        **({"publishers": list(distribution.publishers)} if distribution.publishers else {}),
        "subtracted": distribution.subtracted,
        "placement": _placement(distribution, kind),
        **sizes,
        "required_by": [_plain(edge) for edge in distribution.required_by],
        "findings": list(distribution.findings),
        "dropped": [list(row) for each in distribution.payloads for row in each.dropped],
        "stripped": [list(row) for row in payload.stripped],
        "files": file_rows(contents.records) if contents is not None else [],
    }


def _placement(distribution: Distribution, kind: str) -> str | None:
    if distribution.layer:
        return f"layer:{distribution.layer}"
    if distribution.subtracted:
        return None
    return "offload" if distribution.offloaded is not None else kind


def file_rows(records: Iterable[Record]) -> list[list[Any]]:
    """Rows of [path, uncompressed bytes, compressed bytes, crc32, mode], in the zip's order."""
    return [
        [
            record.name.decode(),
            record.uncompressed_bytes,
            record.compressed_bytes,
            record.crc32,
            0o755 if record.executable else 0o644,
        ]
        for record in records
    ]
