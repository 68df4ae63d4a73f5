"""Where the base of an image comes from: a registry, an image layout, a root file system."""

import hashlib
from pathlib import Path
from typing import Any, Literal, NamedTuple

from packager.errors import CannotBuild
from packager.model.build import BuildOptions
from packager.model.image import OCI_LAYER, Descriptor, Reference, hex_of
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.parsing import parse_json
from packager.pipeline.memory import lasting_key_of
from packager.registry.layout import read_layout
from packager.registry.manifests import Resolved, descriptor_of
from packager.wheels.store import Store

_RECIPE = 1


class FoundBase(NamedTuple):
    """A base before its layers were looked at; `paths` are where their bytes lie."""

    kind: Literal["registry", "layout", "files"]
    reference: str
    resolved: Resolved | None
    config: dict[str, Any]
    layers: tuple[Descriptor, ...]
    paths: tuple[Path, ...]


def from_layout(path: Path, tag: str | None, text: str, function: Function) -> FoundBase:
    """Read the layout in `path`; raises CannotBuild."""
    layout = read_layout(path, architecture=function.architecture, tag=tag, refusal=CannotBuild)
    config = _config(layout.blob(layout.config.digest), layout.config, text)
    paths = tuple(layout.blob(each.digest) for each in layout.layers)
    return FoundBase("layout", text, layout.resolved, config, layout.layers, paths)


def from_files(path: Path, text: str, *, store: Store, modified_seconds: int) -> FoundBase:
    """Pack a root file system once; its configuration is empty."""
    from packager.registry.root_files import files_key, pack_files  # noqa: PLC0415 -- few have one

    key = lasting_key_of("root-files", _RECIPE, str(path), files_key(path), modified_seconds)
    known, blob = store.read_document("bases", key), store.file("blobs", key, ".gz")
    if known is None or not blob.is_file():
        with (
            store.writing("blobs", key, ".gz", durable=False) as temporary,
            temporary.open("wb") as file,
        ):
            pack_files(path, file.write, modified_seconds=modified_seconds, refusal=CannotBuild)
        with blob.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        known = {"key": key, "sha256": digest, "file_bytes": blob.stat().st_size}
        store.write_document("bases", key, known)
    layer = Descriptor(OCI_LAYER, f"sha256:{known['sha256']}", blob.stat().st_size)
    return FoundBase("files", text, None, {}, (layer,), (blob,))


def from_registry(
    text: str,
    function: Function,
    *,
    store: Store,
    options: BuildOptions,
    pinned: tuple[str, str] | None,
    reporter: Reporter,
) -> FoundBase:
    """Resolve as remembered, or at the registry; fetch what is not in the store."""
    # Loaded here because a base on this machine has no reference.
    from packager.registry.reference import parse_reference  # noqa: PLC0415

    reference = parse_reference(text)
    key = lasting_key_of("base", _RECIPE, reference.text, function.architecture)
    known = None if options.upgrade else store.read_document("bases", key)
    digest = pinned[1] if pinned is not None and pinned[0] == reference.text else None
    if known is not None and digest not in {None, known["digest"]}:
        known = None
    if known is not None:
        content = known["content"].encode()
        resolved = Resolved(known["digest"], known["media_type"], content, known["index_digest"])
        return _fetched(reference, resolved, function, store, options, reporter)
    if options.offline:
        raise CannotBuild(
            f"the base image `{reference.text}` is not in the store",
            hint="build once without --offline",
        )
    wanted = reference.digest or (None if options.upgrade else digest) or reference.name
    # Loaded here because a base that is in the store needs no registry.
    from packager.pipeline.base_pull import resolved_at_registry  # noqa: PLC0415

    resolved = resolved_at_registry(reference, function, wanted)
    reporter.step(f"base {reference.text} is {resolved.digest}")
    found = _fetched(reference, resolved, function, store, options, reporter)
    document = {**resolved._asdict(), "content": resolved.content.decode()}
    store.write_document("bases", key, document)
    return found


def _fetched(
    reference: Reference,
    resolved: Resolved,
    function: Function,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
) -> FoundBase:
    try:
        manifest = resolved.manifest
        config = descriptor_of(manifest["config"])
        layers = tuple(descriptor_of(each) for each in manifest["layers"])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotBuild(f"the manifest of `{reference.text}` is damaged: {error}") from error
    missing = [each for each in dict.fromkeys((config, *layers)) if not _is_kept(store, each)]
    if missing and options.offline:
        raise CannotBuild(
            f"{len(missing)} blobs of the base image `{reference.text}` are not in the store",
            hint="build once without --offline",
        )
    if missing:
        from packager.pipeline.base_pull import pull_blobs  # noqa: PLC0415 -- likewise

        pull_blobs(missing, reference, function, store=store, reporter=reporter)
    paths = tuple(store.file("pulled", hex_of(each.digest), ".gz") for each in layers)
    place = store.file("pulled", hex_of(config.digest), ".gz")
    parsed = _config(place, config, reference.text)
    return FoundBase("registry", reference.text, resolved, parsed, layers, paths)


def _is_kept(store: Store, blob: Descriptor) -> bool:
    try:
        found = store.file("pulled", hex_of(blob.digest), ".gz").stat().st_size
    except OSError:
        return False
    return found == blob.compressed_bytes


def _config(path: Path, descriptor: Descriptor, text: str) -> dict[str, Any]:
    try:
        content = path.read_bytes()
        config = parse_json(content)
    except (OSError, ValueError) as error:
        raise CannotBuild(f"the configuration of the base `{text}` cannot be read") from error
    if "sha256:" + hashlib.sha256(content).hexdigest() != descriptor.digest:
        raise CannotBuild(f"the configuration of the base `{text}` is damaged")
    if not isinstance(config, dict):
        raise CannotBuild(f"the configuration of the base `{text}` is none")
    return config
