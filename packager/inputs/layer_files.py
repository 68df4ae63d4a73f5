"""Layers that were built elsewhere: what a layer zip, or lpack's manifest of one, says it has.

A layer zip is read as Lambda lays it out below /opt (Lambda Developer Guide, packaging-layers):
distributions are what has a `.dist-info` with METADATA in one of the two folders that Python looks
into, and whose top-level modules are really there.
"""

import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from packager.errors import UsageError
from packager.model.layer import ForeignLayer, LayerReference, Provided, packages_folder
from packager.parsing import parse_json

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError)
_METADATA = re.compile(r"([^/]+)\.dist-info/METADATA")
_TAGGED = re.compile(r"\.cpython-(\d)(\d+)-\w+-linux-gnu\.so$")
_ARCHITECTURES = {62: "x86_64", 183: "arm64"}
"""e_machine of ELF: EM_X86_64 and EM_AARCH64."""

_MANIFEST = ".lpack.json"
_SCHEMA_VERSION = 2


def read_layer(reference: LayerReference, *, runtime: str, architecture: str) -> ForeignLayer:
    """Return what the layer of `reference` offers to a function of this target.

    Raises UsageError when it cannot be read, is of another runtime or architecture, or has no
    distribution that Python would find there.
    """
    if reference.path.name.endswith(_MANIFEST):
        return _from_manifest(reference, runtime, architecture)
    try:
        with zipfile.ZipFile(reference.path) as archive:
            return _from_zip(reference, archive, runtime, architecture)
    except OSError as error:
        raise UsageError(
            f"cannot read the layer `{reference.path.name}`: {error.strerror or error}"
        ) from error
    except _DAMAGE as error:
        raise UsageError(f"`{reference.path.name}` is not a layer zip: {error}") from error


def _from_manifest(reference: LayerReference, runtime: str, architecture: str) -> ForeignLayer:
    shown = reference.path.name
    try:
        manifest = parse_json(reference.path.read_text(encoding="utf-8"))
        target, artifact = manifest["target"], manifest["artifact"]
        is_layer = (manifest["schema_version"], artifact["kind"]) == (_SCHEMA_VERSION, "layer")
        zip_file = reference.path.with_name(artifact["path"])
        layer = ForeignLayer(
            name=reference.name,
            path=str(zip_file) if zip_file.is_file() else None,
            root=manifest["layer"]["root"],
            sha256=artifact["sha256"],
            entries=artifact["entries"],
            compressed_bytes=artifact["compressed_bytes"],
            uncompressed_bytes=artifact["uncompressed_bytes"],
            distributions=tuple(
                Provided(each["name"], each["version"], tuple(each["requires"]))
                for each in manifest["distributions"]
            ),
        )
        built_for = (str(target["runtime"]), str(target["architecture"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_manifest(shown) from error
    if not is_layer:
        raise _no_manifest(shown)
    if built_for != (runtime, architecture):
        raise _other_target(shown, "/".join(built_for), runtime, architecture)
    if layer.path is not None and _sha256(Path(layer.path)) != layer.sha256:
        raise UsageError(
            f"`{artifact['path']}` is not the layer that `{shown}` describes",
            hint="build the layer anew, or fetch both files from where they were built",
        )
    return layer


def _from_zip(
    reference: LayerReference, archive: zipfile.ZipFile, runtime: str, architecture: str
) -> ForeignLayer:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    names = {entry.filename for entry in entries}
    python = runtime.removeprefix("python")
    # The order in which Python looks into them.
    roots = (packages_folder("site-packages", python), packages_folder("python", python))
    _check_native(reference, archive, roots, runtime, architecture)
    found: dict[str, Provided] = {}
    main_root, most = roots[1], 0
    for root in roots:
        provided = list(_distributions(archive, names, root))
        if len(provided) > most:
            main_root, most = root, len(provided)
        for each in provided:
            found.setdefault(each.name, each)
    if not found:
        raise UsageError(
            f"the layer `{reference.path.name}` has no distribution that {runtime} would find",
            hint=f"it needs `.dist-info` folders in `{roots[1]}` or `{roots[0]}`",
        )
    return ForeignLayer(
        name=reference.name,
        path=str(reference.path),
        root=main_root,
        sha256=_sha256(reference.path),
        entries=len(entries),
        compressed_bytes=reference.path.stat().st_size,
        uncompressed_bytes=sum(entry.file_size for entry in entries),
        distributions=tuple(found[name] for name in sorted(found)),
    )


def _distributions(archive: zipfile.ZipFile, names: set[str], root: str) -> Iterator[Provided]:
    """Yield the distributions in the folder `root`; without their modules they do not count."""
    for name in sorted(names):
        match = _METADATA.fullmatch(name.removeprefix(f"{root}/"))
        if match is None or not name.startswith(f"{root}/"):
            continue
        raw, _ = parse_email(archive.read(name))
        try:
            version = str(Version(raw["version"]))
            requires = [str(Requirement(text)) for text in raw.get("requires_dist", ())]
            distribution = canonicalize_name(raw["name"])
        except (InvalidRequirement, InvalidVersion, KeyError):
            continue
        record = f"{root}/{match[1]}.dist-info/RECORD"
        listed = _listed(archive.read(record)) if record in names else []
        if all(f"{root}/{each}" in names for each in listed):
            yield Provided(distribution, version, tuple(requires))


def _listed(record: bytes) -> list[str]:
    """Return the top-level modules and packages of a RECORD, as the files that make them up."""
    rows = csv.reader(io.StringIO(record.decode("utf-8", "replace")))
    paths = [row[0] for row in rows if row]
    return [
        path
        for path in paths
        if path.endswith((".py", ".so"))
        and (path.count("/") == 0 or (path.count("/") == 1 and path.endswith("/__init__.py")))
    ]


def _check_native(
    reference: LayerReference,
    archive: zipfile.ZipFile,
    roots: tuple[str, str],
    runtime: str,
    architecture: str,
) -> None:
    """Refuse extension modules of other Pythons only, and libraries of other machines."""
    pythons: set[str] = set()
    for entry in archive.infolist():
        if entry.is_dir() or ".so" not in entry.filename:
            continue
        with archive.open(entry) as stream:
            head = stream.read(20)
        number = int.from_bytes(head[18:20], "little")
        found = _ARCHITECTURES.get(number) if head[:4] == b"\x7fELF" else None
        if found not in {None, architecture}:
            raise _other_target(reference.path.name, str(found), runtime, architecture)
        tag = _TAGGED.search(entry.filename)
        if tag is not None and entry.filename.startswith(roots):
            pythons.add(f"python{tag[1]}.{tag[2]}")
    if pythons and runtime not in pythons:
        raise _other_target(reference.path.name, min(pythons), runtime, architecture)


def _no_manifest(shown: str) -> UsageError:
    return UsageError(
        f"`{shown}` is not a manifest of a layer", hint="name dist/NAME.layer.lpack.json"
    )


def _other_target(shown: str, found: str, runtime: str, architecture: str) -> UsageError:
    return UsageError(
        f"the layer `{shown}` is built for {found}, the function is {runtime}/{architecture}",
        hint=f"take the layer for {runtime}/{architecture}, or change the function's target",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
