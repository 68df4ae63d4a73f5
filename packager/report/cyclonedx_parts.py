"""The parts of a CycloneDX component: package URLs, licences, and what is inside of a wheel."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from packager.model.supply import Supply, WheelBill, WheelFacts
from packager.parsing import parse_json

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference, HashType, Property
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License
    from packageurl import PackageURL

_LONGEST_LICENSE_NAME = 100
_MOST_COMPONENTS = 5000


def purl_of(name: str, version: str | None) -> "PackageURL":
    """Return the package URL of a distribution, its name normalized."""
    from packageurl import PackageURL  # noqa: PLC0415 -- an extra

    return PackageURL("pypi", name=name, version=version)


def digests_of(sha256: str | None) -> list["HashType"]:
    """Return a sha256 in hex as the library has it; none when it is not known."""
    from cyclonedx.model import HashAlgorithm, HashType  # noqa: PLC0415 -- an extra

    return [HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else []


def properties_of(pairs: Iterable[tuple[str, str]]) -> list["Property"]:
    """Return properties in lpack's name space."""
    from cyclonedx.model import Property  # noqa: PLC0415 -- an extra

    return [Property(name=f"lpack:{name}", value=value) for name, value in pairs]


def licenses_of(facts: WheelFacts) -> list["License"]:
    """Return what the wheel declares: an SPDX expression (PEP 639), or else names.

    License is free text: a name when it is short, otherwise the text itself, for which the
    classifiers speak. Classifiers are not SPDX: "BSD License" says too little for an id.
    """
    from cyclonedx.factory.license import LicenseFactory  # noqa: PLC0415 -- an extra
    from cyclonedx.model.license import LicenseAcknowledgement  # noqa: PLC0415

    factory, declared = LicenseFactory(), LicenseAcknowledgement.DECLARED
    text = (facts.expression or facts.license).strip()
    short = 0 < len(text) <= _LONGEST_LICENSE_NAME and "\n" not in text
    if facts.expression or (short and text.upper() != "UNKNOWN"):
        return [factory.make_from_string(text, license_acknowledgement=declared)]
    names = {each.rpartition("::")[2].strip() for each in facts.classifiers}
    return [
        factory.make_with_name(name, acknowledgement=declared)
        for name in sorted(names - {"OSI Approved"})
    ]


def bill_references(bills: Sequence[WheelBill]) -> list["ExternalReference"]:
    """Return references to the bills of materials inside of a wheel (PEP 770)."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri  # noqa: PLC0415

    return [
        ExternalReference(
            type=ExternalReferenceType.BOM,
            url=XsUri(bill.path),
            comment="in the wheel (PEP 770)",
            hashes=digests_of(bill.sha256),
        )
        for bill in bills
    ]


def vendored_components(reference: str, name: str, supply: Supply) -> list["Component"]:
    """Return what is inside of a distribution: shared libraries, and what its own bills list."""
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 -- an extra

    libraries = [
        Component(
            bom_ref=f"{reference}#{path}",
            name=path.rpartition("/")[2],
            type=ComponentType.FILE,
            hashes=digests_of(sha256),
            properties=properties_of([("path", path)]),
        )
        for path, sha256 in supply.libraries
    ]
    listed = [
        component
        for bill in supply.facts.bills
        for component in _listed(f"{reference}#{bill.path}", name, bill.text)
    ]
    return libraries + listed


def _listed(reference: str, name: str, text: str) -> list["Component"]:
    """Return what a CycloneDX document inside of a wheel lists, the wheel itself left out.

    Others wrote it: only plain names, versions and package URLs are taken. A document of another
    kind, such as SPDX, is referred to and not merged.
    """
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415 -- an extra

    try:
        document = parse_json(text)
    except ValueError:
        return []
    rows = document.get("components") if isinstance(document, Mapping) else None
    if not isinstance(rows, list):
        return []
    found: dict[tuple[str, str | None, str], Component] = {}
    for row in rows[:_MOST_COMPONENTS]:
        if not isinstance(row, Mapping):
            continue
        title, version, purl = row.get("name"), row.get("version"), _purl(row.get("purl"))
        if not isinstance(title, str) or not title or not isinstance(version, str | None):
            continue
        if purl is not None and (purl.type, purl.name) == ("pypi", name):
            continue
        key = (title, version, str(purl or ""))
        found[key] = Component(
            bom_ref=f"{reference}#{'@'.join(part for part in key if part)}",
            name=title,
            version=version,
            type=ComponentType.LIBRARY,
            purl=purl,
        )
    return list(found.values())


def _purl(value: Any) -> "PackageURL | None":  # noqa: ANN401 -- others wrote it
    from packageurl import PackageURL  # noqa: PLC0415 -- an extra

    try:
        return PackageURL.from_string(value)
    except (ValueError, AttributeError, TypeError):
        return None
