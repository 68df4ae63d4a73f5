"""What a manifest tells a planner. Pure."""

from collections.abc import Mapping
from typing import Any

from packager.model.plan import Circumstances, Item, Situation

Manifest = Mapping[str, Any]


def situation_of(
    manifest: Manifest,
    circumstances: Circumstances,
    *,
    limits: Mapping[str, int],
    most_layers: int,
    module_ms: Mapping[str, float] | None = None,
    start_ms: float | None = None,
) -> Situation:
    """Return the situation of `manifest`: everything in it counts as one zip, wherever it is now.

    `limits` are AWS's by name, exclusive bytes. `module_ms` are import times by top-level module,
    `start_ms` what importing the handler takes; None when nobody measured them.
    """
    owners = owners_of_modules(manifest)
    own_ms: dict[str, float] = {}
    for module, milliseconds in (module_ms or {}).items():
        owner = owners.get(module)
        if owner is not None:
            own_ms[owner] = own_ms.get(owner, 0.0) + milliseconds
    measured = module_ms is not None
    items = tuple(
        _item(each, own_ms, measured=measured)
        for each in manifest["distributions"]
        if not each["subtracted"]
    )
    attached = [layer for layer in manifest["layers"] if layer["foreign"]]
    code = manifest["code"]
    return Situation(
        function=manifest["function"]["name"],
        items=items,
        code=Item("", "", code["entries"], code["uncompressed_bytes"], code["compressed_bytes"]),
        circumstances=circumstances,
        unzipped_limit=limits["unzipped"],
        zipped_limit=limits["zipped"],
        most_layers=most_layers,
        attached_layers=len(attached),
        attached_uncompressed_bytes=sum(layer["uncompressed_bytes"] for layer in attached),
        start_ms=start_ms,
    )


def owners_of_modules(manifest: Manifest) -> dict[str, str]:
    """Return which distribution owns each top-level module; shared namespaces go to the first."""
    owners: dict[str, str] = {}
    for distribution in manifest["distributions"]:
        for row in distribution["files"]:
            first = row[0].partition("/")[0]
            if not first.endswith((".dist-info", ".libs")):
                owners.setdefault(first.partition(".")[0], distribution["name"])
    return owners


def _item(distribution: Mapping[str, Any], own_ms: Mapping[str, float], *, measured: bool) -> Item:
    name = distribution["name"]
    return Item(
        name=name,
        version=distribution["version"],
        entries=distribution["entries"],
        uncompressed_bytes=distribution["uncompressed_bytes"],
        compressed_bytes=distribution["compressed_bytes"],
        start_ms=own_ms.get(name),
        # Without a measurement nobody knows what start-up needs, and everything counts.
        starts=not measured or name in own_ms,
    )
