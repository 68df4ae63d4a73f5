"""Hold the figures of an image's manifest against each other: totals, verdicts. Pure."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def check_image_figures(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what `manifest` says about its own files, layers and limits that cannot be.

    Raises KeyError, TypeError or ValueError for what is no manifest of an image.
    """
    owners = [owner for owner in manifest["distributions"] if not owner["subtracted"]]
    owners.append(manifest["code"])
    for owner in owners:
        yield from _check_owner(owner)
    yield from _check_totals(manifest, owners)
    yield from _check_limits(manifest)


def _check_owner(owner: Mapping[str, Any]) -> Iterator[str]:
    title = f"{owner['name']} {owner['version']}" if "name" in owner else "your code"
    if owner["entries"] != len(owner["files"]):
        yield f"`entries` of {title} is {owner['entries']:,}, it has {len(owner['files']):,}"
    if owner["uncompressed_bytes"] != sum(row[1] for row in owner["files"]):
        yield f"`uncompressed_bytes` of {title} is not that of its files"


def _check_totals(
    manifest: Mapping[str, Any], owners: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    artifact, image = manifest["artifact"], manifest["image"]
    own = sum(blob["compressed_bytes"] for blob in image["blobs"] if not blob["from_base"])
    if own != sum(owner["compressed_bytes"] for owner in owners):
        yield "the layers of the image have other bytes than their owners"
    if artifact["entries"] != sum(owner["entries"] for owner in owners):
        yield "`entries` of the image is not that of its owners"
    if artifact["uncompressed_bytes"] != sum(b["uncompressed_bytes"] for b in image["blobs"]):
        yield "`uncompressed_bytes` of the image is not that of its layers"
    if artifact["code_sha256"] != b64encode(bytes.fromhex(artifact["sha256"])).decode():
        yield "`code_sha256` and `sha256` are different digests"


def _check_limits(manifest: Mapping[str, Any]) -> Iterator[str]:
    for limit in manifest["limits"]:
        measured = manifest["artifact"]["uncompressed_bytes"]
        passed = not limit["binding"] or limit["measured_bytes"] < limit["limit_bytes"]
        if limit["name"] == "image" and limit["measured_bytes"] != measured:
            yield f"the measure of `{limit['title']}` is not that of the image"
        if limit["passed"] != passed:
            yield f"the verdict on `{limit['title']}` is wrong"
    if manifest["fits"] != all(limit["passed"] for limit in manifest["limits"]):
        yield "`fits` is not what the limits say"
