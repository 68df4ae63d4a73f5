"""What ships, as a CycloneDX 1.6 document: a bill of materials for scanners and auditors.

Source: ECMA-424, second edition (CycloneDX 1.6); package-url specification, type `pypi`. The
document holds no clock, no machine and no host but those of the public index, and its serial
number is derived from its contents: equal builds have equal bills.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from packager.errors import UsageError
from packager.model.supply import Supply
from packager.report.cyclonedx_parts import (
    bill_references,
    digests_of,
    licenses_of,
    properties_of,
    purl_of,
    vendored_components,
)

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component

Manifest = Mapping[str, Any]

_NAMESPACE: Final = uuid.UUID("6f7a9a0e-3d57-5a39-9d2c-6c7061636b00")
_OUTCOME: Final = "subtracted"


def check_extra() -> None:
    """Raise UsageError when the library that writes the document is not installed."""
    try:
        import cyclonedx  # noqa: F401, PLC0415 -- an extra
    except ImportError as error:
        raise UsageError(
            "a bill of materials needs cyclonedx-python-lib, which is not installed",
            hint='python -m pip install -e "path/to/lpack[sbom]"',
        ) from error


def render_cyclonedx(
    manifest: Manifest, supplies: Mapping[str, Supply], *, made_seconds: int | None = None
) -> str:
    """Return the document of the artifact that `manifest` describes.

    `supplies` are, by name, what the manifest does not know of its distributions. `made_seconds`
    is the date it bears, in seconds since 1970; it bears none without. Raises UsageError when the
    library is not installed.
    """
    check_extra()
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415 -- an extra

    bom = _bom(manifest, supplies)
    if made_seconds is not None:
        bom.metadata.timestamp = datetime.fromtimestamp(made_seconds, UTC)
    # The default number is random: the one before the last step has to be the same always.
    bom.serial_number = _NAMESPACE
    content = JsonV1Dot6(bom).output_as_string(indent=1)
    bom.serial_number = uuid.uuid5(_NAMESPACE, hashlib.sha256(content.encode()).hexdigest())
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _bom(manifest: Manifest, supplies: Mapping[str, Supply]) -> "Bom":
    from cyclonedx.model.bom import Bom, BomMetaData  # noqa: PLC0415 -- an extra
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415

    maker = Component(name="lpack", version=manifest["lpack"], type=ComponentType.APPLICATION)
    root = _root(manifest)
    metadata = BomMetaData(component=root)
    metadata.timestamp = None  # type: ignore[assignment]  # the schema lets it be absent
    metadata.tools.components.add(maker)
    bom = Bom(metadata=metadata)
    components: dict[str, list[Component]] = {}
    edges: dict[str, set[str]] = {}
    for row in manifest["distributions"]:
        copies = components.setdefault(row["name"], [])
        supply = supplies.get(row["name"], Supply())
        component = _component(row, manifest, supply, number=len(copies))
        copies.append(component)
        bom.components.add(component)
        for edge in row["required_by"]:
            edges.setdefault(edge["parent"], set()).add(row["name"])
    for name, copies in components.items():
        for component in copies:
            bom.register_dependency(component, _named(edges.get(name, ()), components))
    needed = _named(edges.get("", ()), components)
    base = _base(manifest)
    if base is not None:
        bom.components.add(base)
        bom.register_dependency(base)
        needed.append(base)
    bom.register_dependency(root, needed)
    return bom


def _named(
    names: Iterable[str], components: Mapping[str, Sequence["Component"]]
) -> list["Component"]:
    """Return the components with these names; other tools' artifacts may have one twice."""
    return [each for name in sorted(names) for each in components.get(name, ())]


def _root(manifest: Manifest) -> "Component":
    """Return the user's code, which is what everything else is there for."""
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 -- an extra

    function, artifact, target = manifest["function"], manifest["artifact"], manifest["target"]
    built = [layer for layer in manifest["layers"] if not layer["foreign"]]
    properties = [
        ("artifact", artifact["path"]),
        ("artifact-kind", artifact["kind"]),
        ("code-files", str(len(manifest["code"]["files"]))),
        *([("handler", function["handler"])] if function["handler"] else []),
        ("target", f"{target['runtime']}/{target['architecture']}"),
        *((f"layer:{layer['name']}", f"sha256:{layer['sha256']}") for layer in built),
    ]
    image = artifact["kind"] == "image"
    return Component(
        bom_ref=f"function:{function['name']}",
        name=function["name"],
        type=ComponentType.CONTAINER if image else ComponentType.APPLICATION,
        hashes=digests_of(artifact["sha256"]),
        properties=properties_of(properties),
    )


def _component(
    row: Mapping[str, Any], manifest: Manifest, supply: Supply, *, number: int
) -> "Component":
    """Return a distribution; `number` tells how many came before under its name.

    References have to differ, or the library makes them differ by chance.
    """
    if row["subtracted"]:
        return _provided(row, manifest)
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri  # noqa: PLC0415
    from cyclonedx.model.component import Component, ComponentScope  # noqa: PLC0415

    name, version, wheel = row["name"], row["version"] or None, row["wheel_sha256"]
    reference = f"{name}=={row['version']}" + (f"#{number}" if number else "")
    references = bill_references(supply.facts.bills)
    if supply.url:
        references.append(
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(supply.url),
                hashes=digests_of(wheel),
            )
        )
    return Component(
        bom_ref=reference,
        name=name,
        version=version,
        purl=purl_of(name, version),
        scope=ComponentScope.REQUIRED,
        hashes=digests_of(wheel),
        licenses=licenses_of(supply.facts),
        external_references=references,
        properties=properties_of(_facts(row, supply)),
        components=vendored_components(reference, name, supply),
    )


def _facts(row: Mapping[str, Any], supply: Supply) -> Iterator[tuple[str, str]]:
    """Yield what a distribution that ships has as properties."""
    yield "placement", row["placement"]
    yield "source", supply.place
    yield ("wheel", row["wheel"]) if row["wheel_sha256"] else ("evidence", row["evidence"])
    for publisher in row.get("publishers", ()):
        yield "published-by", publisher
    yield "dropped-files", str(len(row["dropped"]))
    yield "stripped-libraries", str(len(row["stripped"]))
    if supply.archive_sha256:
        yield "archive", f"sha256:{supply.archive_sha256}"


def _provided(row: Mapping[str, Any], manifest: Manifest) -> "Component":
    """Return a distribution that does not ship, because the runtime or a layer has it.

    Which version that is, is known from the catalog only: the lowest one that AWS was seen to
    ship. Nothing of the wheel applies, because it is not the one that runs.
    """
    from cyclonedx.model.component import Component, ComponentScope  # noqa: PLC0415 -- an extra

    name = row["name"]
    subtraction = manifest["subtraction"]
    decisions = [
        line
        for line in subtraction["decisions"]
        if line["name"] == name and line["outcome"] == _OUTCOME
    ]
    version = decisions[0]["runtime_version"] if decisions else None
    layer = decisions[0]["layer"] if decisions else ""
    properties = [("placement", f"layer:{layer}" if layer else "runtime")]
    if not layer:
        properties += [
            ("provided-by", manifest["target"]["runtime"]),
            ("version-inferred", "true"),
            ("version-is", f"the lowest known on {subtraction['catalog_date']}, may be higher"),
        ]
    return Component(
        bom_ref=f"{name}=={row['version']}",
        name=name,
        version=version,
        purl=purl_of(name, version),
        scope=ComponentScope.EXCLUDED,
        properties=properties_of(properties),
    )


def _base(manifest: Manifest) -> "Component | None":
    image = manifest["image"]
    if image is None or image["base"] is None:
        return None
    from cyclonedx.model.component import Component, ComponentScope, ComponentType  # noqa: PLC0415

    base = image["base"]
    return Component(
        bom_ref="base-image",
        name=base["reference"].partition("@")[0],
        version=base["digest"],
        type=ComponentType.CONTAINER,
        scope=ComponentScope.REQUIRED,
        hashes=digests_of((base["digest"] or "").removeprefix("sha256:")),
        properties=properties_of([("placement", "base image")]),
    )
