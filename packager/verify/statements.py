"""What is told of an artifact in the files beside it: a bill of materials, where it came from.

Sources: ECMA-424, second edition (CycloneDX 1.6); in-toto Attestation Framework, Statement v1. Only
what is recomputed from the artifact, its manifest and the files beside it is held against them.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packager.model.finding import Finding
from packager.parsing import parse_json

_BILL, _PROVENANCE = ".cdx.json", ".intoto.jsonl"
_BROKEN = (AttributeError, KeyError, TypeError, ValueError)


def check_statements(artifact: Path, manifest: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with each document beside `artifact`; one that is not there is fine.

    Whether the artifact keeps what the manifest says is another check.
    """
    name = manifest["function"]["name"]
    for ending, setting, check in (
        (_BILL, "--sbom", _bill_faults),
        (_PROVENANCE, "--provenance", _provenance_faults),
    ):
        path = artifact.with_name(name + ending)
        try:
            faults = list(check(parse_json(path.read_bytes()), manifest, path))
        except FileNotFoundError:
            continue
        except OSError as error:
            faults = [f"cannot be read: {error.strerror}"]
        except _BROKEN:
            faults = ["is not such a document as lpack writes"]
        if faults:
            yield Finding(
                code="statement-differs",
                level="error",
                message=f"`{path.name}` {faults[0]}",
                hint=f"lpack build {setting}, or rm {path}",
                details=tuple(faults[1:]),
            )


def _bill_faults(bill: Any, manifest: Mapping[str, Any], _: Path) -> Iterator[str]:  # noqa: ANN401
    """Compare the digests of the artifact, of its layers and of what ships."""
    root = bill["metadata"]["component"]
    yield from _differing("artifact", manifest["artifact"]["sha256"], _sha256_of(root))
    told = {each["name"]: each["value"] for each in root["properties"]}
    for layer in manifest["layers"]:
        if not layer["foreign"]:
            shown = str(told.get(f"lpack:layer:{layer['name']}")).removeprefix("sha256:")
            yield from _differing(f"layer {layer['name']}", layer["sha256"], shown)
    wheels = {each["bom-ref"]: _sha256_of(each) for each in bill.get("components", ())}
    for row in manifest["distributions"]:
        if not row["subtracted"]:
            digest = wheels.get(f"{row['name']}=={row['version']}")
            yield from _differing(f"wheel of {row['name']}", row["wheel_sha256"], digest)


def _provenance_faults(
    statement: Any,  # noqa: ANN401 -- JSON
    manifest: Mapping[str, Any],
    path: Path,
) -> Iterator[str]:
    """Compare the subjects with what was built, and what came out besides with its files."""
    told = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    layers = [each for each in manifest["layers"] if not each["foreign"]]
    for each in (manifest["artifact"], *layers):
        yield from _differing(each["path"], each["sha256"], told.pop(each["path"], None))
    for each in (manifest["offload"] or {"archives": ()})["archives"]:
        if each["bucket"]:
            yield from _differing(each["archive"], each["sha256"], told.pop(each["archive"], None))
    told |= {
        each["name"]: each["digest"]["sha256"]
        for each in statement["predicate"]["runDetails"]["byproducts"]
    }
    for name, digest in told.items():
        yield from _differing(name, _digest(path.parent / Path(name).name), digest)


def _sha256_of(component: Mapping[str, Any]) -> str | None:
    found = [each["content"] for each in component.get("hashes", ()) if each["alg"] == "SHA-256"]
    return str(found[0]) if found else None


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "of no file that is there"


def _differing(what: str, expected: str | None, told: str | None) -> Iterator[str]:
    if told != expected:
        yield f"tells of {what} another sha256: {told or 'none'} instead of {expected or 'none'}"
