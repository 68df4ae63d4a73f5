"""What the bootstrap in the zip reads at start: which imports need which archives. Pure."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from packager.model.offload import Offloaded

INDEX_VERSION = 1
_VERSION_BYTES = 96
"""Room for the version of an object: S3's have 32 characters, others' up to twice that."""


class Arriving(NamedTuple):
    """A distribution and the archive it arrives in."""

    name: str
    version: str
    archive: Offloaded


def offload_index(arriving: Iterable[Arriving]) -> bytes:
    """Return the index of everything that is offloaded, with room for versions in S3."""
    groups: dict[str, list[Arriving]] = {}
    room = 0
    for each in arriving:
        groups.setdefault(each.archive.group, []).append(each)
        room += _VERSION_BYTES if each.archive.bucket else 0
    document = {
        "index_version": INDEX_VERSION,
        "groups": [_group(members) for _, members in sorted(groups.items())],
    }
    return json.dumps(document, separators=(",", ":")).encode() + b" " * room


def _group(members: list[Arriving]) -> dict[str, Any]:
    archives = [each.archive for each in members]
    digests = "".join(archive.sha256 for archive in archives)
    return {
        # The folder in /tmp: other contents, another name.
        "key": hashlib.sha256(digests.encode()).hexdigest()[:32],
        "disk_bytes": sum(archive.disk_bytes for archive in archives),
        "modules": sorted({name for archive in archives for name in archive.modules}),
        "spaces": sorted({name for archive in archives for name in archive.spaces}),
        "pth": any(archive.pth for archive in archives),
        "archives": [each.archive.facts(each.name, each.version) for each in members],
    }
