"""Hold a manifest's figures against each other: totals, digests, verdicts. Pure."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from packager.model.canonical import CENTRAL, END, LOCAL

# Of what is offloaded, the metadata and nested archives are in the zip.
_IN_ZIP = frozenset({"zip", "offload"})


def check_figures(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what `manifest` says about its own files, limits and digests that cannot be.

    Raises KeyError, TypeError or ValueError for what is no manifest.
    """
    artifact = manifest["artifact"]
    for owner in manifest["distributions"]:
        title = f"{owner['name']} {owner['version']}"
        if not owner.get("subtracted"):
            yield from _check_owner(title, owner)
        elif owner["files"]:
            yield f"{title} is left out and has files all the same"
    if "code" in manifest:
        yield from _check_owner("your code", manifest["code"])
    owners = zip_owners(manifest)
    totals = {
        "entries": sum(owner["entries"] for owner in owners),
        "compressed_bytes": sum(owner["compressed_bytes"] for owner in owners) + END.size,
        "uncompressed_bytes": sum(owner["uncompressed_bytes"] for owner in owners),
    }
    for field, total in totals.items():
        if artifact[field] != total:
            yield f"`{field}` of the zip is {artifact[field]:,}, its owners have {total:,}"
    if artifact["code_sha256"] != b64encode(bytes.fromhex(artifact["sha256"])).decode():
        yield "`code_sha256` and `sha256` are different digests"
    yield from _check_limits(manifest)


def zip_owners(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the owners whose files are in the zip itself, in its order; a layer has no code."""
    inside = [each for each in manifest["distributions"] if each.get("placement", "zip") in _IN_ZIP]
    return [*inside, manifest["code"]] if "code" in manifest else inside


def _check_owner(title: str, owner: Mapping[str, Any]) -> Iterator[str]:
    rows = owner["files"]
    headers = LOCAL.size + CENTRAL.size
    figures = {
        "entries": len(rows),
        "compressed_bytes": sum(headers + 2 * len(row[0].encode()) + row[2] for row in rows),
        "uncompressed_bytes": sum(row[1] for row in rows),
    }
    for field, figure in figures.items():
        if owner[field] != figure:
            yield f"`{field}` of {title} is {owner[field]:,}, its files have {figure:,}"


def _check_limits(manifest: Mapping[str, Any]) -> Iterator[str]:
    for limit in manifest["limits"]:
        measured = _measured(manifest, limit["name"])
        if (limit["measured_bytes"], limit["headroom_bytes"]) != (
            measured,
            limit["limit_bytes"] - 1 - measured,
        ):
            yield f"the measure of `{limit['title']}` is not that of the zip"
        if limit["passed"] != (not limit["binding"] or measured < limit["limit_bytes"]):
            yield f"the verdict on `{limit['title']}` is wrong"
    if manifest["fits"] != all(limit["passed"] for limit in manifest["limits"]):
        yield "`fits` is not what the limits say"


def _measured(manifest: Mapping[str, Any], name: str) -> int:
    """Return what the limit `name` measures; a function's files and its layers' count together."""
    artifact, layers = manifest["artifact"], manifest.get("layers", ())
    if name == "unzipped":
        parts = (artifact, *layers)
        return sum(int(part["uncompressed_bytes"]) for part in parts)
    if name == "tmp":
        return int((manifest.get("offload") or {}).get("tmp_bytes", 0))
    measured = next((each for each in layers if name == f"layer:{each['name']}"), artifact)
    return int(measured["compressed_bytes"])
