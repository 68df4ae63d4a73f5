"""The report of an artifact as JSON-ready values, from its manifest and what was found. Pure.

`artifact_report.schema.json` beside this file is its published schema.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from packager import __version__
from packager.model.advice import Advice

SCHEMA_VERSION = 1

_ARTIFACT = ("kind", "path", "entries", "compressed_bytes", "uncompressed_bytes", "sha256")
_SIZES = (
    "entries",
    "compressed_bytes",
    "uncompressed_bytes",
    "retained_compressed_bytes",
    "retained_uncompressed_bytes",
)


def artifact_document(
    manifest: Mapping[str, Any],
    advice: Sequence[Advice],
    *,
    could_save: Mapping[str, int],
    baseline: Mapping[str, Any] | None = None,
    times: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the report of what `manifest` describes.

    `could_save` is the sum of what leaves when all advice is followed, each file counted once;
    `baseline` is an earlier manifest to compare with, `times` what `read_times` returned.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "lpack": __version__,
        "artifact": {
            **{name: manifest["artifact"][name] for name in _ARTIFACT},
            "overhead_bytes": _overhead(manifest),
            "foreign": bool(manifest.get("foreign", False)),
        },
        "function": {name: manifest["function"][name] for name in ("name", "handler", "guesses")},
        "target": dict(manifest["target"]),
        "limits": [dict(limit) for limit in manifest["limits"]],
        "fits": manifest["fits"],
        "distributions": [_distribution(each) for each in ordered(manifest["distributions"])],
        "code": {**_sizes(manifest["code"]), "files": _rows(manifest["code"]["files"])},
        "layers": [dict(layer) for layer in manifest["layers"]],
        "subtraction": [
            {name: decision[name] for name in ("name", "version", "outcome", "reason", "loosen")}
            for decision in manifest["subtraction"]["decisions"]
        ],
        "findings": [_finding(each) for each in advice],
        "could_save": dict(could_save),
        "import_times": None if times is None else dict(times),
        "baseline": None if baseline is None else _baseline(baseline),
    }


def ordered(distributions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what is in the artifact, the largest first, then what was left out."""
    return sorted(
        distributions,
        key=lambda each: (each["subtracted"], -each["uncompressed_bytes"], each["name"]),
    )


def _overhead(manifest: Mapping[str, Any]) -> int:
    """Return the artifact's bytes that no file has: 22 of the end record in lpack's own zips."""
    artifact = manifest["artifact"]
    if "overhead_bytes" in artifact:
        overhead: int = artifact["overhead_bytes"]
        return overhead
    shipped = [each for each in manifest["distributions"] if each["files"]]
    owned: int = sum(each["compressed_bytes"] for each in [*shipped, manifest["code"]])
    return max(0, int(artifact["compressed_bytes"]) - owned)


def _distribution(each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": each["name"],
        "version": each["version"],
        "evidence": each.get("evidence", "manifest"),
        "subtracted": each["subtracted"],
        "placement": each.get("placement"),
        **_sizes(each),
        "required_by": [dict(edge) for edge in each["required_by"]],
        "files": _rows(each["files"]),
    }


def _sizes(owner: Mapping[str, Any]) -> dict[str, int]:
    """Return the figures of an owner; what nothing else leaves with retains only itself."""
    return {name: owner.get(name, owner[name.removeprefix("retained_")]) for name in _SIZES}


def _rows(files: Iterable[Sequence[Any]]) -> list[list[Any]]:
    return [list(row) for row in files]


def _finding(each: Advice) -> dict[str, Any]:
    return {
        "code": each.code,
        "level": each.level,
        "message": each.message,
        "path": each.path,
        "owner": each.owner,
        "hint": each.hint,
        "details": list(each.details),
        "cases": len(each.paths) or each.cases,
        "saves_compressed_bytes": each.compressed_bytes,
        "saves_uncompressed_bytes": each.uncompressed_bytes,
        "paths": list(each.paths),
    }


def _baseline(manifest: Mapping[str, Any]) -> dict[str, Any]:
    artifact = manifest["artifact"]
    return {
        "path": artifact["path"],
        "entries": artifact["entries"],
        "compressed_bytes": artifact["compressed_bytes"],
        "uncompressed_bytes": artifact["uncompressed_bytes"],
        "distributions": [
            {
                **{name: each[name] for name in ("name", "version", *_SIZES[:3])},
                "files": _rows(each["files"]),
            }
            for each in manifest["distributions"]
            if not each["subtracted"]
        ],
        "code": {
            **{name: manifest["code"][name] for name in _SIZES[:3]},
            "files": _rows(manifest["code"]["files"]),
        },
    }
