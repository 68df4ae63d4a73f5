"""Lambda layers: filled from the dependencies of all functions that share them, and written.

    functions → dependencies of each → place → layer zips and their manifests

A layer's zip depends on nothing but what is in it, and is written again only when that changed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packager.assemble.output import atomic_output
from packager.assemble.reread import read_contents
from packager.assemble.zip_writer import write_zip
from packager.errors import UsageError
from packager.measure.limits import check_limits
from packager.model.artifact import ZipArtifact
from packager.model.build import BuildOptions, BuiltLayer, FunctionLayers
from packager.model.canonical import NotCanonicalError
from packager.model.layer import LayerReference, OwnLayer, packages_folder
from packager.model.payload import Dependencies, Payload
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.pipeline.build import find_dependencies
from packager.pipeline.memory import Memory, identity_of, key_of
from packager.pipeline.opt import check_opt, library_moves, refuse_lost_libraries
from packager.pipeline.splicing import entry_stamp, healed, owner_of, payload_source
from packager.place.layers import FilledLayer, LayerUser, place
from packager.report.layer_manifest import layer_manifest_of
from packager.report.manifest import render_manifest
from packager.report.text import many
from packager.runtime.targets import load_quotas
from packager.wheels.store import Store


def build_layers(
    functions: Sequence[Function],
    everyone: Sequence[Function],
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
) -> dict[str, FunctionLayers]:
    """Write the layers of `functions` and return for each of them what it is to leave out.

    `everyone` are all functions of the project: a layer holds what all that share it need, so
    that it is the same whichever of them is built. Raises LpackError, before any work for what
    AWS forbids.
    """
    sharing = _sharing(functions, everyone)
    check_layers(sharing)
    named = {function.name for function in functions}
    quiet = options._replace(write_lock=False, upgrade=False)

    def attempt(first: bool) -> dict[str, FunctionLayers]:
        del first
        found = {
            each.name: find_dependencies(
                each,
                Memory(store, each),
                options=options if each.name in named else quiet,
                reporter=reporter,
            )
            for each in sharing
        }
        return _built(functions, sharing, found, store=store, reporter=reporter)

    return healed(attempt, [Memory(store, each) for each in sharing], reporter=reporter)


def check_layers(functions: Sequence[Function]) -> None:
    """Raise UsageError for layers that AWS would refuse, or that cannot be shared or filled."""
    users: dict[OwnLayer, Function] = {}
    for function in functions:
        most = load_quotas(function.kind)["layers"]
        if function.layers and not most:
            raise UsageError(
                f"`{function.name}` has layers, and Lambda@Edge does not know them",
                hint="layers = [], or leave `kind` at `lambda`",
            )
        if len(function.layers) > most:
            raise UsageError(
                f"`{function.name}` has {len(function.layers)} layers, AWS takes at most {most}",
                hint="put more distributions into one layer",
            )
        for layer in own_layers(function):
            first = users.setdefault(layer, function)
            if function.package_type == "image":
                raise UsageError(
                    f"`{function.name}` is an image, and images take no layers",
                    hint='layers = [], or package-type = "zip"',
                )
            if function.slim == "traced":
                raise UsageError(
                    f'`{function.name}` has `slim = "traced"`, which sets files aside inside its '
                    f"zip, and the layer `{layer.name}`",
                    hint='slim = "declared", or layers = []',
                )
            _refuse_other_target(layer, first, function)


def _refuse_other_target(layer: OwnLayer, first: Function, second: Function) -> None:
    one, two = (f"{each.runtime}/{each.architecture}" for each in (first, second))
    if one != two:
        raise UsageError(
            f"the layer `{layer.name}` is shared by `{first.name}` ({one}) and `{second.name}` "
            f"({two})",
            hint="give each runtime and architecture a layer of its own",
        )


def own_layers(function: Function) -> tuple[OwnLayer, ...]:
    """Return the layers of `function` that the project itself builds."""
    return tuple(each for each in function.layers if isinstance(each, OwnLayer))


def _sharing(functions: Sequence[Function], everyone: Sequence[Function]) -> list[Function]:
    """Return `functions`, and those that share a layer with them, directly or over others."""
    chosen = {each.name: each for each in functions}
    names = {layer.name for each in functions for layer in own_layers(each)}
    while True:
        more = [
            each
            for each in everyone
            if each.name not in chosen and names & {layer.name for layer in own_layers(each)}
        ]
        if not more:
            order = [each.name for each in everyone]
            return sorted(chosen.values(), key=lambda each: order.index(each.name))
        chosen.update({each.name: each for each in more})
        names |= {layer.name for each in more for layer in own_layers(each)}


def _built(
    functions: Sequence[Function],
    sharing: Sequence[Function],
    found: Mapping[str, Dependencies],
    *,
    store: Store,
    reporter: Reporter,
) -> dict[str, FunctionLayers]:
    placement = place(
        [LayerUser(each.name, own_layers(each), found[each.name]) for each in sharing]
    )
    written: dict[tuple[str, Path], BuiltLayer] = {}
    result = {}
    for function in functions:
        placed, dependencies = placement.placed[function.name], found[function.name]
        foreign = {each.name: each for each in dependencies.layers}
        layers = []
        for layer in function.layers:
            if isinstance(layer, LayerReference):
                known = foreign[layer.name]
                layers.append(BuiltLayer(known.name, known.root, foreign=known))
            elif layer.name in placed.values():
                key = (layer.name, function.target_dir)
                if key not in written:
                    filled = placement.layers[layer.name]
                    output = _Output(filled, function, dependencies, entry_stamp())
                    written[key] = _write(output, store=store, reporter=reporter)
                layers.append(written[key])
        check_opt(layers)
        result[function.name] = FunctionLayers(tuple(layers), placed, dependencies)
    return result


class _Output(NamedTuple):
    """Where a layer goes, what goes in, and whose target and settings hold."""

    filled: FilledLayer
    function: Function
    dependencies: Dependencies
    stamp: int

    @property
    def places(self) -> tuple[Path, Path]:
        """The zip and the manifest."""
        name, folder = self.filled.layer.name, self.function.target_dir
        return folder / f"{name}.layer.zip", folder / f"{name}.layer.lpack.json"

    @property
    def root(self) -> str:
        """The folder of the Python packages."""
        return packages_folder(self.filled.layer.root, self.dependencies.target.python)

    @property
    def pieces(self) -> list[tuple[str, Payload]]:
        """What goes in, each with its owner."""
        return [
            (owner_of(each), payload)
            for each in self.filled.distributions
            for payload in each.payloads
        ]

    def key(self) -> str:
        """Name everything that decides the two files."""
        pieces = [[owner, payload.sha256] for owner, payload in self.pieces]
        requires = {name: list(texts) for name, texts in self.filled.requires.items()}
        settings = [self.root, self.filled.layer.libraries, self.stamp, self.function.upload]
        return key_of("layer", pieces, requires, settings, [str(path) for path in self.places])


def _write(output: _Output, *, store: Store, reporter: Reporter) -> BuiltLayer:
    """Write the zip and the manifest of a layer, unless they lie there as they would be."""
    key, name = output.key(), output.filled.layer.name
    known = store.read_document("layers", key)
    places = [str(path) for path in output.places]
    if known is not None and known["identities"] == [identity_of(path) for path in places]:
        artifact = _as_written(output.places[0], known, output.stamp)
        if artifact is not None:
            return BuiltLayer(name, output.root, artifact)
    artifact = _write_zip(output, store)
    _write_manifest(output, artifact)
    owners = [[contents.owner, len(contents.records)] for contents in artifact.contents]
    identities = [identity_of(path) for path in places]
    facts = {"sha256": artifact.sha256, "owners": owners, "identities": identities}
    store.write_document("layers", key, facts)
    count = many(len(output.filled.distributions), "distribution")
    reporter.step(f"wrote the layer {name}: {count}")
    return BuiltLayer(name, output.root, artifact)


def _write_zip(output: _Output, store: Store) -> ZipArtifact:
    target, destination = output.dependencies.target, output.places[0]
    moved: Mapping[str, Mapping[bytes, bytes]] = {}
    if output.filled.layer.libraries:
        moved = library_moves(output.pieces, target, store)
    folder = f"{output.root}/".encode()
    sources = [
        payload_source(owner, payload, store, folder=folder, moved=moved.get(payload.key, {}))
        for owner, payload in output.pieces
    ]
    artifact = write_zip(destination, sources, (), stamp=output.stamp)
    if moved:
        refuse_lost_libraries(destination, target)
    return artifact


def _write_manifest(output: _Output, artifact: ZipArtifact) -> None:
    filled, target = output.filled, output.dependencies.target
    document = layer_manifest_of(
        BuiltLayer(filled.layer.name, output.root, artifact),
        artifact,
        target,
        filled.distributions,
        requires=filled.requires,
        limits=check_limits(
            target.limits,
            compressed_bytes=artifact.compressed_bytes,
            uncompressed_bytes=artifact.uncompressed_bytes,
            upload=output.function.upload,
        ),
    )
    with atomic_output(output.places[1]) as file:
        file.write(render_manifest(document).encode())


def _as_written(path: Path, known: Mapping[str, Any], stamp: int) -> ZipArtifact | None:
    """Return what the zip at `path` holds, as it was written; None when it is another."""
    try:
        contents = read_contents(path, [(owner, count) for owner, count in known["owners"]])
        compressed_bytes = path.stat().st_size
    except (NotCanonicalError, OSError):
        return None
    return ZipArtifact(
        path=str(path),
        sha256=known["sha256"],
        compressed_bytes=compressed_bytes,
        uncompressed_bytes=sum(each.uncompressed_bytes for each in contents),
        stamp=stamp,
        contents=contents,
    )
