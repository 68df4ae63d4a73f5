"""What an image stands on: resolved, fetched, looked at once, and pinned until --upgrade.

reference → manifest of one architecture → configuration, layers → what is in them
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packager.errors import CannotBuild, UsageError
from packager.model.build import BuildOptions
from packager.model.image import (
    GZIP_LAYERS,
    BaseImage,
    ImageBlob,
)
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.pipeline.base_source import FoundBase, from_files, from_layout, from_registry
from packager.pipeline.memory import lasting_key_of
from packager.registry.base_checks import check_inside, check_platform
from packager.registry.layer_facts import LayerFacts, inside
from packager.registry.layout import is_layout
from packager.wheels.store import Store

AWS_BASE = "public.ecr.aws/lambda/python"
"""AWS's base images, one tag for each Python (Developer Guide, python-image)."""

_RECIPE = 1


def find_base(
    function: Function,
    *,
    store: Store,
    options: BuildOptions,
    pinned: tuple[str, str] | None,
    modified_seconds: int,
    reporter: Reporter,
) -> BaseImage:
    """Return the base of `function`'s image with its blobs on this machine.

    `pinned` are the reference and the digest that the last build's manifest has. Raises
    CannotBuild for a base that cannot be had or does not fit, UsageError for a wrong reference.
    """
    text = base_text(function)
    if _is_local(text):
        path, tag = _local(text, function.root)
        if is_layout(path):
            found = from_layout(path, tag, text, function)
        else:
            found = from_files(path, text, store=store, modified_seconds=modified_seconds)
    else:
        found = from_registry(
            text, function, store=store, options=options, pinned=pinned, reporter=reporter
        )
    if found.kind != "files":
        check_platform(found.config, reference=text, architecture=function.architecture)
    return _described(found, function, store=store)


def base_text(function: Function) -> str:
    """Return what the base is called: as configured, or AWS's image of the runtime."""
    return function.image.base or f"{AWS_BASE}:{function.runtime.removeprefix('python')}"


def local_base(function: Function) -> Path | None:
    """Return where the base lies on this machine; None for one of a registry."""
    text = base_text(function)
    return _local(text, function.root)[0] if _is_local(text) else None


def _is_local(text: str) -> bool:
    return text.startswith((".", "/", "~"))


def _local(text: str, root: Path) -> tuple[Path, str | None]:
    """Read FOLDER, FILE or FOLDER:TAG; raises UsageError when it is not there."""
    path = (root / Path(text).expanduser()).resolve()
    if path.exists():
        return path, None
    folder, colon, tag = text.rpartition(":")
    if colon:
        path = (root / Path(folder).expanduser()).resolve()
        if is_layout(path):
            return path, tag
    raise UsageError(
        f"`image.base`: there is no `{text}`",
        hint="an image layout, a root file system, or a reference without ./ before it",
    )


def _described(found: FoundBase, function: Function, *, store: Store) -> BaseImage:
    facts = _facts(found, store)
    within = inside(facts)
    minor = function.runtime.removeprefix("python")
    check_inside(
        within,
        reference=found.reference,
        architecture=function.architecture,
        python=minor,
        needs_python=function.image.entry_point is None,
    )
    return BaseImage(
        kind=found.kind,
        reference=found.reference,
        digest=found.resolved.digest if found.resolved else None,
        index_digest=found.resolved.index_digest if found.resolved else None,
        config=found.config,
        blobs=tuple(
            ImageBlob(
                digest=layer.digest,
                diff_id=each.diff_id,
                compressed_bytes=layer.compressed_bytes,
                uncompressed_bytes=each.uncompressed_bytes,
                owners=(),
                from_base=True,
                path=str(path),
            )
            for layer, each, path in zip(found.layers, facts, found.paths, strict=True)
        ),
        client=within.client,
        runtime=within.entry_point and f"var/lang/bin/python{minor}" in within.pythons,
        pythons=within.pythons,
    )


def _facts(found: FoundBase, store: Store) -> list[LayerFacts]:
    """Look at every layer, each once for all builds."""
    # Nobody said what a root file system is packed to: the digest is taken, not compared.
    diff_ids = [""] if found.kind == "files" else _diff_ids(found)
    result = []
    for layer, path, diff_id in zip(found.layers, found.paths, diff_ids, strict=True):
        if layer.media_type not in GZIP_LAYERS and "tar" not in layer.media_type:
            raise CannotBuild(
                f"a layer of `{found.reference}` is of the type `{layer.media_type[:100]}`, "
                "which Lambda does not take"
            )
        key = lasting_key_of("base-layer", _RECIPE, layer.digest)
        known = store.read_document("base-layers", key)
        if known is None:
            # Loaded here because a layer is looked at once.
            from packager.registry.base_layer import look_at_layer  # noqa: PLC0415

            facts = look_at_layer(
                path, layer, diff_id=diff_id, name=found.reference, refusal=CannotBuild
            )
            store.write_document("base-layers", key, facts._asdict())
        else:
            facts = LayerFacts.from_document(known)
        result.append(facts)
    return result


def _diff_ids(found: FoundBase) -> Iterable[str]:
    rootfs: Mapping[str, Any] = found.config.get("rootfs") or {}
    listed = rootfs.get("diff_ids")
    if not isinstance(listed, list) or len(listed) != len(found.layers):
        raise CannotBuild(f"the base `{found.reference}` does not list its layers' contents")
    return [str(each) for each in listed]
