"""What an artifact would be after a plan, as a manifest: for pictures of before and after. Pure."""

from collections.abc import Mapping
from typing import Any

from packager.model.canonical import CENTRAL, LOCAL
from packager.model.plan import Plan

Manifest = Mapping[str, Any]
Row = list[Any]


def planned_manifest(manifest: Manifest, plan: Plan) -> dict[str, Any]:
    """Return `manifest` after `plan`, as far as a plan knows.

    Trimmed files are gone, and what moved is gone with all its files; of a nested archive the
    bytes that the plan foresees stand under the name it will have. What is retained is unknown
    and left as shallow.
    """
    gone = {path for trim in plan.trims for taken in trim.takes for path in taken.paths}
    removed = {name for trim in plan.trims if trim.removes for name in trim.touches}
    moved = set(plan.moved) if plan.way in ("nested", "s3", "layers") else set()
    archives = dict(plan.archives)
    distributions = []
    for each in manifest["distributions"]:
        if each["subtracted"] or each["name"] in removed:
            distributions.append({**each, "subtracted": True, "placement": None, "files": []})
            continue
        rows = [row for row in each["files"] if row[0] not in gone]
        if each["name"] in moved:
            rows = _nested(each["name"], archives.get(each["name"], 0))
        distributions.append(_with_files(each, rows))
    artifact = {
        **manifest["artifact"],
        "path": f"{manifest['artifact']['path']} after the plan",
        "compressed_bytes": plan.compressed_bytes,
        "uncompressed_bytes": plan.uncompressed_bytes,
        "sha256": None,
    }
    return {
        **manifest,
        "artifact": artifact,
        "distributions": distributions,
        "limits": [_limit(each, plan) for each in manifest["limits"]],
        "fits": plan.fits,
    }


def _limit(limit: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Hold what the plan foresees against a limit; an image is held against its own."""
    zipped = limit["name"] in ("zip_direct_upload", "zip_edge")
    measured = plan.compressed_bytes if zipped else plan.uncompressed_bytes
    headroom = limit["limit_bytes"] - 1 - measured
    through_s3 = limit["name"] == "zip_direct_upload" and plan.settings.get("upload") == "s3"
    binding = limit["binding"] and not through_s3 and plan.way != "image"
    return {
        **limit,
        "measured_bytes": measured,
        "headroom_bytes": headroom,
        "binding": binding,
        "passed": not binding or headroom >= 0,
    }


def _nested(name: str, archive_bytes: int) -> list[Row]:
    if not archive_bytes:
        return []
    return [[f".lpack/offload/{name}", archive_bytes, archive_bytes, 0, 0o644]]


def _with_files(distribution: Mapping[str, Any], rows: list[Row]) -> dict[str, Any]:
    headers = sum(LOCAL.size + CENTRAL.size + 2 * len(row[0].encode()) for row in rows)
    sizes = {
        "entries": len(rows),
        "uncompressed_bytes": sum(row[1] for row in rows),
        "compressed_bytes": sum(row[2] for row in rows) + headers,
    }
    retained = {f"retained_{name}": sizes[name] for name in sizes if name != "entries"}
    return {**distribution, **sizes, **retained, "files": rows}
