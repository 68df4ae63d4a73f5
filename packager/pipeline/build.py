"""The stages in order: the only place that knows more than one of them.

    requirements → lock → select → fetch → admit → subtract → payloads → assemble → measure

The first half, up to the payloads, depends on what the project requires and is remembered; the
second half depends on the user's code and runs whenever that changed.
"""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.merge import CollisionError
from packager.assemble.open_payload import PayloadSource
from packager.assemble.output import atomic_output
from packager.assemble.rewrite import rewrite_zip
from packager.assemble.zip_writer import write_zip
from packager.measure.measurement import measure
from packager.model.artifact import ZipArtifact
from packager.model.build import NO_LAYERS, Build, BuildOptions, FunctionLayers
from packager.model.canonical import EPOCH_STAMP
from packager.model.deflating import STREAM_ABOVE_BYTES, encoder, large_encoder
from packager.model.payload import Dependencies
from packager.model.progress import Reporter
from packager.model.project import Function, SourceFile, SourceTree
from packager.pipeline.ahead import HeadStart
from packager.pipeline.memory import Memory
from packager.pipeline.prefix import PrefixMemory, Repeated
from packager.pipeline.splicing import entry_stamp, healed, owner_of, payload_source
from packager.report.manifest import manifest_text
from packager.runtime.targets import default_runtime, runtime_names
from packager.wheels.store import Store

__all__ = ["BuildOptions", "build_function", "default_runtime", "runtime_names"]


_RESOLVING = threading.Lock()


def build_function(
    function: Function,
    tree: SourceTree,
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
    layers: FunctionLayers = NO_LAYERS,
    ahead: HeadStart | None = None,
) -> Build:
    """Build one function's zip and manifest; its `layers` were written before.

    What `ahead` has begun to copy is used if it turns out to be what this build needs.
    Raises LpackError for what the user, the network or the disk did. A passed limit is no error
    here: it is in the result, after everything was written.
    """
    memory = Memory(store, function)
    done = _assemble_healing(
        function, tree, memory, layers=layers, options=options, reporter=reporter, ahead=ahead
    )
    build = Build(
        function=function,
        dependencies=done.dependencies,
        artifact=done.artifact,
        measurement=measure(
            done.dependencies,
            done.artifact,
            upload=function.upload,
            ephemeral_storage=function.ephemeral_storage,
            layers=layers.layers,
        ),
        excluded=tree.excluded,
        encoders=(*_encoders(done.artifact), *done.dependencies.makers),
        layers=layers.layers,
        prefix_key=done.before.key if done.artifact.prefix is not None else "",
    )
    text, distributions = manifest_text(build, distributions=done.distributions)
    with atomic_output(
        manifest_path(function), durable=_is_synced(function), hashed=False
    ) as output:
        output.write(text.encode())
    if done.distributions is None and done.artifact.prefix is not None:
        done.before.remember(Repeated(done.artifact.prefix, distributions))
    return build


def builder_of(function: Function) -> Callable[..., Build]:
    """Return what builds `function`: `build_function`, or `build_image` for an image."""
    if function.package_type == "image":
        # Loaded here because zips need nothing of it.
        from packager.pipeline.image import build_image  # noqa: PLC0415

        return build_image
    return build_function


def layers_of(
    functions: Sequence[Function],
    everyone: Sequence[Function],
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
) -> Mapping[str, FunctionLayers]:
    """Write the layers of those of `functions` that have some, for `everyone` who shares them."""
    layered = [each for each in functions if each.layers]
    if not layered:
        return {}
    # Loaded here because most functions have no layers.
    from packager.pipeline.layers import build_layers  # noqa: PLC0415

    return build_layers(layered, everyone, store=store, options=options, reporter=reporter)


def find_dependencies(
    function: Function, memory: Memory, *, options: BuildOptions, reporter: Reporter
) -> Dependencies:
    """Return the dependencies as remembered, or resolve, fetch, admit and subtract them."""
    if not options.upgrade and not options.write_lock:
        remembered = memory.recall()
        if remembered is not None:
            return remembered
    # Loaded here because a build with remembered dependencies needs no resolver at all.
    from packager.pipeline.dependencies import resolve_dependencies  # noqa: PLC0415

    # One at a time: functions that are built together share requirements and wheels, and each
    # step works on several wheels already.
    with _RESOLVING:
        return resolve_dependencies(function, memory, options=options, reporter=reporter)


def inputs_of(function: Function, *, store: Store) -> list[str]:
    """Return the files, absent ones too, that the function's dependencies stand on."""
    return Memory(store, function).files()


def artifact_path(function: Function) -> Path:
    """Where the zip of `function` goes."""
    return function.target_dir / f"{function.name}.zip"


def manifest_path(function: Function) -> Path:
    """Where the manifest of `function` goes."""
    return function.target_dir / f"{function.name}.lpack.json"


def outputs_of(function: Function, dependencies: Dependencies) -> list[Path]:
    """Return the files that building `function` as a zip writes."""
    archives = [each.offloaded for each in dependencies.shipped if each.offloaded]
    folder = offload_folder(function)
    for_s3 = [folder / each.archive for each in archives if each.bucket]
    return [artifact_path(function), manifest_path(function), *for_s3]


def offload_folder(function: Function) -> Path:
    """Where the archives that go to S3 are written."""
    return function.target_dir / f"{function.name}.offload"


class _Assembled(NamedTuple):
    """A written zip; `distributions` is the manifest's text of them when it is known already."""

    dependencies: Dependencies
    artifact: ZipArtifact
    before: PrefixMemory
    distributions: str | None


def _assemble_healing(
    function: Function,
    tree: SourceTree,
    memory: Memory,
    *,
    layers: FunctionLayers,
    options: BuildOptions,
    reporter: Reporter,
    ahead: HeadStart | None,
) -> _Assembled:
    """Find the dependencies and assemble; payloads that turn out damaged are made again."""
    store, stamp = memory.store, entry_stamp()

    def attempt(first: bool) -> _Assembled:
        dependencies = layers.dependencies if first else None
        if dependencies is None:
            dependencies = find_dependencies(function, memory, options=options, reporter=reporter)
        if layers.layers:
            # Loaded here because most functions have no layers.
            from packager.pipeline.opt import refuse_split_packages  # noqa: PLC0415

            dependencies = layers.place(dependencies)
            refuse_split_packages(function, tree, dependencies, layers, store=store)
        return _assemble(
            function, dependencies, tree, layers, store=store, stamp=stamp, ahead=ahead
        )

    return healed(attempt, [memory], reporter=reporter)


def _assemble(
    function: Function,
    dependencies: Dependencies,
    tree: SourceTree,
    layers: FunctionLayers,
    *,
    store: Store,
    stamp: int,
    ahead: HeadStart | None,
) -> _Assembled:
    """Copy what the last build knew to come before the user's code, or splice all payloads."""
    payloads, code = shipped_parts(function, dependencies, tree, store=store)
    if function.offload or offload_folder(function).exists():
        # Loaded here because hardly any build needs it.
        from packager.pipeline.offload import write_offloaded  # noqa: PLC0415

        write_offloaded(dependencies, offload_folder(function), store=store)
    path, durable = artifact_path(function), _is_synced(function)
    before = PrefixMemory(store, function, dependencies, payloads, layers=layers.digests)
    known = before.recall() if stamp == EPOCH_STAMP else None
    if known is not None:
        copying, retired = (
            (None, None) if ahead is None else ahead.take(before.key, known.prefix, path)
        )
        try:
            artifact = rewrite_zip(
                path,
                payloads,
                code,
                known.prefix,
                durable=durable,
                ahead=copying,
                retired=retired,
            )
        except (CollisionError, PayloadDamagedError):
            # Whose fault it is, only a look at every payload tells.
            before.forget()
        else:
            return _Assembled(dependencies, artifact, before, known.distributions)
    artifact = write_zip(path, payloads, code, stamp=stamp, durable=durable)
    return _Assembled(dependencies, artifact, before, None)


def shipped_parts(
    function: Function, dependencies: Dependencies, tree: SourceTree, *, store: Store
) -> tuple[list[PayloadSource], tuple[SourceFile, ...]]:
    """Return the payloads of what ships beside the user's files, and those."""
    payloads = [
        payload_source(owner_of(distribution), payload, store)
        for distribution in dependencies.shipped
        if not distribution.layer
        for payload in distribution.payloads
    ]
    code = tree.files
    if function.slim == "traced" or function.offload:
        # Loaded here because hardly any build needs it.
        from packager.pipeline.bootstrap import place_bootstrap  # noqa: PLC0415

        bootstrap, code = place_bootstrap(function, dependencies, tree, store=store)
        payloads.append(payload_source("", bootstrap, store))
    return payloads, code


def _is_synced(function: Function) -> bool:
    """Tell whether the build waits for the disk: what is released does, what is tried out not.

    Linux tells when it was started, so that nothing remembered outlives a power cut; elsewhere
    every artifact is synced.
    """
    return function.release or sys.platform != "linux"


def _encoders(artifact: ZipArtifact) -> tuple[str, ...]:
    """Who deflated the user's files; the streams of wheels are their own."""
    code = artifact.contents[-1].records
    large = any(record.uncompressed_bytes > STREAM_ABOVE_BYTES for record in code)
    return (encoder(), large_encoder()) if large else (encoder(),)
