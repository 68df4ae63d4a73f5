"""What a manifest tells a planner. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from packager.model.plan import Circumstances, Item, Situation
from packager.model.sharing import Consumer, Shared

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
        arranged=_is_arranged(manifest),
    )


def _is_arranged(manifest: Manifest) -> bool:
    """Tell whether the artifact fits because not everything of it is in one zip."""
    elsewhere = manifest["layers"] or manifest["offload"] or manifest["artifact"]["kind"] == "image"
    return bool(elsewhere and manifest["fits"])


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


def sharing_of(
    manifests: Sequence[Manifest],
    *,
    deployments: Mapping[str, float],
    changes: Mapping[str, float],
) -> tuple[list[Consumer], list[Shared]]:
    """Return the functions of `manifests`, which are for one target, and what they share.

    `deployments` by function and `changes` by distribution are monthly rates; `*` is for all
    others. What counts as one distribution has one version, one wheel and the same files.
    """
    found: dict[tuple[Any, ...], list[tuple[str, Mapping[str, Any]]]] = {}
    consumers = []
    for manifest in manifests:
        name = manifest["function"]["name"]
        shipped = [each for each in manifest["distributions"] if not each["subtracted"]]
        for each in shipped:
            key = (each["name"], each["version"], each["wheel_sha256"], each["uncompressed_bytes"])
            found.setdefault(key, []).append((name, each))
        owners = [*shipped, manifest["code"]]
        consumers.append(
            Consumer(
                name,
                deployments.get(name, deployments["*"]),
                sum(each["compressed_bytes"] for each in owners) + 22,
                sum(each["uncompressed_bytes"] for each in owners),
                sum(layer["foreign"] for layer in manifest["layers"]),
            )
        )
    requires = _requires(manifests)
    return consumers, [
        Shared(
            each["name"],
            each["version"],
            each["uncompressed_bytes"],
            each["compressed_bytes"],
            frozenset(name for name, _ in users),
            changes.get(each["name"], changes["*"]),
            tuple(sorted(requires.get(each["name"], ()))),
        )
        for users in found.values()
        for each in (users[0][1],)
    ]


def _requires(manifests: Sequence[Manifest]) -> dict[str, set[str]]:
    requires: dict[str, set[str]] = {}
    for manifest in manifests:
        for each in manifest["distributions"]:
            for edge in each["required_by"]:
                requires.setdefault(edge["parent"], set()).add(each["name"])
    return requires
