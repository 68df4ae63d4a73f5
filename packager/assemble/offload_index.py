"""What the bootstrap in the zip reads at start: which imports need which archives. Pure."""

import hashlib
import json
from typing import Any

from packager.model.payload import Dependencies, Distribution

INDEX_VERSION = 1


def offload_index(dependencies: Dependencies) -> bytes:
    """Return the index of everything that is offloaded."""
    groups: dict[str, list[Distribution]] = {}
    for distribution in dependencies.shipped:
        if distribution.offloaded is not None:
            groups.setdefault(distribution.offloaded.group, []).append(distribution)
    document = {
        "index_version": INDEX_VERSION,
        "groups": [_group(members) for _, members in sorted(groups.items())],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _group(members: list[Distribution]) -> dict[str, Any]:
    archives = [(each, each.offloaded) for each in members if each.offloaded is not None]
    digests = "".join(archive.sha256 for _, archive in archives)
    return {
        # The folder in /tmp: other contents, another name.
        "key": hashlib.sha256(digests.encode()).hexdigest()[:32],
        "disk_bytes": sum(archive.disk_bytes for _, archive in archives),
        "modules": sorted({name for _, archive in archives for name in archive.modules}),
        "spaces": sorted({name for _, archive in archives for name in archive.spaces}),
        "pth": any(archive.pth for _, archive in archives),
        "archives": [archive.facts(each.name, each.version) for each, archive in archives],
    }
