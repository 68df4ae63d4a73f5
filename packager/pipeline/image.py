"""Functions as container images: base → dependencies → layers → layout → measure.

The layers of distributions are made once for what is in them and kept in the store; a build
after a change of the user's code makes one small layer, a configuration and a manifest.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.image_documents import image_config, image_manifest, layout_index
from packager.assemble.image_layout import (
    BlobDamagedError,
    part_of,
    place_blobs,
    prepare_layout,
    whole_or_gone,
    write_index,
)
from packager.assemble.image_plan import LARGEST_MANIFEST_BYTES
from packager.assemble.merge import CollisionError, refuse_collisions
from packager.assemble.open_payload import PayloadSource
from packager.assemble.output import atomic_output
from packager.errors import CannotBuild
from packager.measure.measurement import measure
from packager.model.build import Build, BuildOptions
from packager.model.deflating import encoder
from packager.model.image import TASK_ROOT, BaseImage, ImageArtifact, ImageBlob, hex_of
from packager.model.payload import Dependencies
from packager.model.progress import Reporter
from packager.model.project import Function, SourceFile, SourceTree
from packager.pipeline.base import find_base
from packager.pipeline.blobs import (
    MadeBlobs,
    Packing,
    Part,
    code_blob,
    distribution_blobs,
    forget_blob,
    parts_of,
)
from packager.pipeline.build import find_dependencies, manifest_path, shipped_parts
from packager.pipeline.image_fit import (
    explaining_additions,
    fitted_to,
    modified_seconds,
    pinned_base,
    refuse_edge,
)
from packager.pipeline.layer_memory import LayerMemory, RepeatedLayers
from packager.pipeline.memory import Losses, Memory, lasting_key_of
from packager.report.manifest import manifest_text
from packager.wheels.store import Store


class _Image(NamedTuple):
    """What is written: everything decided before the first byte of the layout."""

    function: Function
    base: BaseImage
    dependencies: Dependencies
    packing: Packing


class _Written(NamedTuple):
    """A layout with what is `known` of its distributions from before, or was `made` of them now."""

    dependencies: Dependencies
    artifact: ImageArtifact
    memory: LayerMemory
    known: RepeatedLayers | None
    made: MadeBlobs


def build_image(
    function: Function,
    tree: SourceTree,
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
) -> Build:
    """Build one function's image layout and manifest, and the archive when it is asked for.

    Raises LpackError for what the user, the network or the disk did. A passed limit is no error
    here: it is in the result, after everything was written.
    """
    refuse_edge(function)
    root = function.image.working_directory or TASK_ROOT
    packing = Packing(root, modified_seconds())
    base = find_base(
        function,
        store=store,
        options=options,
        pinned=pinned_base(function),
        modified_seconds=packing.modified_seconds,
        reporter=reporter,
    )
    function = fitted_to(function, base)
    written = _write_healing(
        function, base, tree, packing, store=store, options=options, reporter=reporter
    )
    artifact = written.artifact
    _warn_of_many_layers(artifact, reporter)
    build = Build(
        function=function,
        dependencies=written.dependencies,
        artifact=artifact,
        measurement=measure(written.dependencies, artifact, upload=function.upload),
        excluded=tree.excluded,
        encoders=(encoder(), *written.dependencies.makers),
    )
    known = written.known
    text, distributions = manifest_text(build, distributions=known and known.distributions)
    with atomic_output(manifest_path(function), durable=function.release, hashed=False) as output:
        output.write(text.encode())
    if known is None:
        written.memory.remember(written.made, distributions)
    return build


def _warn_of_many_layers(artifact: ImageArtifact, reporter: Reporter) -> None:
    if artifact.manifest_bytes >= LARGEST_MANIFEST_BYTES:
        reporter.warn(
            f"the manifest has {artifact.manifest_bytes:,} bytes; AWS advises to stay below "
            f"{LARGEST_MANIFEST_BYTES:,}: a base with fewer layers would do"
        )


def layout_path(function: Function) -> Path:
    """Where the image layout of `function` goes."""
    return function.target_dir / f"{function.name}.oci"


def archive_path(function: Function) -> Path:
    """Where the archive for `docker load` goes."""
    return function.target_dir / f"{function.name}.image.tar"


def image_outputs(function: Function) -> list[Path]:
    """Return every file of the image as it lies there, and the folder of its blobs."""
    layout = layout_path(function)
    blobs = layout / "blobs" / "sha256"
    files = sorted(blobs.iterdir()) if blobs.is_dir() else []
    archive = [archive_path(function)] if function.image_archive else []
    return [layout / "index.json", layout / "oci-layout", blobs, *files, *archive]


def _write_healing(
    function: Function,
    base: BaseImage,
    tree: SourceTree,
    packing: Packing,
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
) -> _Written:
    """Find the dependencies and write; what turns out damaged in the store is made again."""
    memory, losses = Memory(store, function), Losses(store)
    while True:
        with explaining_additions(function):
            dependencies = find_dependencies(function, memory, options=options, reporter=reporter)
        if not base.runtime:
            # What the runtime would provide is of no interest where there is none of it.
            told = (line for line in dependencies.subtraction if line.outcome == "subtracted")
            dependencies = dependencies._replace(subtraction=tuple(told), conflicts=())
        image = _Image(function, base, dependencies, packing)
        try:
            return _write(image, tree, store)
        except PayloadDamagedError as damage:
            altered = store.has("payloads", damage.key, ".zip")
            store.discard("payloads", damage.key, ".zip")
            memory.forget()
            losses.note(damage.key, altered=altered)
        except BlobDamagedError as damage:
            if damage.blob.from_base and base.kind != "registry":
                raise _damaged_base(base, damage.blob) from damage
            altered = Path(damage.blob.path).exists()
            forget_blob(damage.blob, store)
            losses.note(damage.blob.digest, altered=altered)
        if altered:
            reporter.warn("a file in the store was damaged; it is made again")
        else:
            reporter.step("the store lost a file; it is made again")


def _damaged_base(base: BaseImage, blob: ImageBlob) -> CannotBuild:
    return CannotBuild(
        f"the layer {blob.digest} of the base `{base.reference}` has other bytes than its name "
        "says",
        hint="pull or build the base again",
    )


def _write(image: _Image, tree: SourceTree, store: Store) -> _Written:
    function, base, packing = image.function, image.base, image.packing
    payloads, code = shipped_parts(function, image.dependencies, tree, store=store)
    memory = LayerMemory(
        store, function, image.dependencies, payloads, packing, base_layers=len(base.blobs)
    )
    known = _known(memory, code)
    parts, made = _made(image, payloads, code, store) if known is None else ([], known.made)
    folder = layout_path(function)
    with whole_or_gone(folder):
        blobs_folder = prepare_layout(folder)
        with part_of(folder) as output:
            own, contents = code_blob(code, parts, packing, output)
            output.flush()
            place = blobs_folder / hex_of(own.digest)
            if not place.is_file():
                output.path.rename(place)
        blobs = (*base.blobs, *made.blobs, own._replace(path=str(place)))
        _place(blobs, folder, store)
        artifact = _finish(image, MadeBlobs(blobs, (*made.contents, contents)), folder)
    return _Written(image.dependencies, artifact, memory, known, made)


def _known(memory: LayerMemory, code: Sequence[SourceFile]) -> RepeatedLayers | None:
    """Return the layers as the last build made them, unless the user's files collide with them."""
    known = memory.recall()
    if known is not None:
        try:
            refuse_collisions(known.names, code)
        except CollisionError:
            # Whose file it is, only a look at every payload tells.
            memory.forget()
            return None
    return known


def _made(
    image: _Image, payloads: Sequence[PayloadSource], code: Sequence[SourceFile], store: Store
) -> tuple[list[Part], MadeBlobs]:
    """Look at every payload, and make those layers that are not in the store."""
    parts = parts_of(payloads, code)
    layers = len(image.base.blobs)
    return parts, distribution_blobs(parts, image.packing, base_layers=layers, store=store)


def _place(blobs: Sequence[ImageBlob], folder: Path, store: Store) -> None:
    """Bring the blobs into the layout; which of them lie there unchanged is remembered."""
    key = lasting_key_of("layout", str(folder))
    known = store.read_document("layouts", key) or {}
    there = place_blobs(blobs, folder / "blobs" / "sha256", known=known.get("blobs", {}))
    store.write_document("layouts", key, {"blobs": there})


def _finish(image: _Image, made: MadeBlobs, folder: Path) -> ImageArtifact:
    """Write configuration, manifest and index, then the archive when it is asked for."""
    function, base, packing = image.function, image.base, image.packing
    settings, architecture = function.image, function.architecture
    config = image_config(
        base,
        [blob for blob in made.blobs if not blob.from_base],
        settings,
        architecture=architecture,
        handler=function.handler,
        root=packing.root,
        created_seconds=packing.modified_seconds,
    )
    manifest = image_manifest(config, made.blobs, image_format=settings.format)
    index = layout_index(manifest, architecture=architecture, name="latest")
    documents = [(each.digest, each.content) for each in (config, manifest)]
    write_index(folder, documents, index, keep=[blob.digest for blob in made.blobs])
    archive = None
    if function.image_archive:
        from packager.assemble.docker_archive import write_archive  # noqa: PLC0415 -- on request

        archive = archive_path(function)
        write_archive(archive, folder, config, manifest, made.blobs, name=function.name,
                      architecture=architecture)  # fmt: skip
    small = len(config.content) + len(manifest.content)
    return ImageArtifact(
        path=str(folder),
        sha256=hex_of(manifest.digest),
        compressed_bytes=small + sum(blob.compressed_bytes for blob in made.blobs),
        uncompressed_bytes=sum(blob.uncompressed_bytes for blob in made.blobs),
        stamp=packing.modified_seconds,
        contents=made.contents,
        base=base,
        blobs=made.blobs,
        format=settings.format,
        root=packing.root,
        manifest_bytes=len(manifest.content),
        config_digest=config.digest,
        archive=archive.name if archive else None,
    )
