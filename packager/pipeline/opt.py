"""What becomes of a function's layers at /opt: what they must not overwrite or hide, libraries."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from packager.assemble.open_payload import PayloadSource
from packager.assemble.payload_streams import (
    damage_first,
    mapped_payload,
    payload_records,
    stream_of,
)
from packager.errors import CannotBuild, UsageError
from packager.model.build import BuiltLayer, FunctionLayers
from packager.model.canonical import DEFLATED, Record
from packager.model.layer import packages_folder
from packager.model.payload import Dependencies, Payload, TargetFacts
from packager.model.project import Function, SourceTree
from packager.model.target import Target
from packager.pipeline.splicing import owner_of, payload_source
from packager.place.roots import Root, refuse_overwriting
from packager.place.roots import refuse_split_packages as refuse_split
from packager.runtime.system import load_runtime_system
from packager.runtime.targets import load_target
from packager.verify.bundle_view import zip_view
from packager.verify.closure import Loader
from packager.verify.libraries import read_libraries
from packager.wheels.store import Store


def check_opt(layers: Sequence[BuiltLayer]) -> None:
    """Raise CannotBuild when one of `layers` would overwrite a file of another with other bytes."""
    if len(layers) < 2:
        return
    refuse_overwriting([(layer.name, _facts(layer)) for layer in layers])


def _facts(layer: BuiltLayer) -> dict[str, tuple[int, int]]:
    if layer.artifact is not None:
        return {
            record.name.decode(): (record.crc32, record.uncompressed_bytes)
            for contents in layer.artifact.contents
            for record in contents.records
        }
    return {
        entry.filename: (entry.CRC, entry.file_size)
        for entry in _entries(layer)
        if not entry.is_dir()
    }


def _entries(layer: BuiltLayer) -> list[zipfile.ZipInfo]:
    """List a layer that was built elsewhere; one of which only the manifest is there lists none."""
    path = layer.foreign.path if layer.foreign is not None else None
    if path is None:
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"cannot read the layer `{layer.name}`: {error}") from error


def refuse_split_packages(
    function: Function,
    tree: SourceTree,
    dependencies: Dependencies,
    layers: FunctionLayers,
    *,
    store: Store,
) -> None:
    """Raise CannotBuild when a package in the zip or in a layer hides a part of it elsewhere.

    Raises PayloadDamagedError when a payload turns out damaged.
    """
    python = function.runtime.removeprefix("python")
    folders = (packages_folder("site-packages", python), packages_folder("python", python))
    payloads = [
        payload_source(owner_of(distribution), payload, store)
        for distribution in dependencies.shipped
        if not distribution.layer
        for payload in distribution.payloads
    ]
    with damage_first(payloads):
        roots = [_task_root(function, tree, payloads)]
        roots += [root for folder in folders if (root := _opt_root(layers.layers, folder)).owners]
        refuse_split(roots)


def _task_root(function: Function, tree: SourceTree, payloads: Sequence[PayloadSource]) -> Root:
    sources = {source.archive_name: source.path for source in tree.files}
    owners = dict.fromkeys(sources, "")
    members: dict[str, tuple[PayloadSource, Record]] = {}
    for source in payloads:
        for record in payload_records(source):
            name = record.name.decode()
            owners.setdefault(name, source.owner)
            members[name] = (source, record)

    def read(name: str) -> bytes:
        if name in sources:
            return Path(sources[name]).read_bytes()
        source, record = members[name]
        with mapped_payload(source) as mapped:
            stream = stream_of(mapped, record)
        return zlib.decompress(stream, -15) if record.method == DEFLATED else stream

    return Root(f"{function.name}.zip", owners, read)


def _opt_root(layers: Sequence[BuiltLayer], folder: str) -> Root:
    """Return what the layers together have in `folder` below /opt; the last one's file counts."""
    owners: dict[str, str] = {}
    zips: dict[str, str] = {}
    for layer in layers:
        path = layer.artifact.path if layer.artifact else layer.foreign and layer.foreign.path
        for name, owner in _owned(layer):
            if name.startswith(f"{folder}/") and path:
                owners[name[len(folder) + 1 :]] = owner
                zips[name[len(folder) + 1 :]] = path

    def read(name: str) -> bytes:
        with zipfile.ZipFile(zips[name]) as archive:
            return archive.read(f"{folder}/{name}")

    return Root(" and ".join(f"the layer `{layer.name}`" for layer in layers), owners, read)


def _owned(layer: BuiltLayer) -> Iterator[tuple[str, str]]:
    if layer.artifact is not None:
        for contents in layer.artifact.contents:
            for record in contents.records:
                yield record.name.decode(), contents.owner
    for entry in _entries(layer):
        if not entry.is_dir():
            yield entry.filename, f"the layer `{layer.name}`"


def library_moves(
    pieces: Sequence[tuple[str, Payload]], target: TargetFacts, store: Store
) -> dict[str, dict[bytes, bytes]]:
    """Return for each payload (by key) which of its shared libraries go to `lib`, and as what.

    Those are the libraries that wheels keep for themselves in `NAME.libs` (PEP 513's repair by
    auditwheel), which /opt/lib of LD_LIBRARY_PATH finds as well; what the system has a library of
    the same name of stays, because the system's comes first there.
    """
    system = load_runtime_system(_target(target))
    moves: dict[str, dict[bytes, bytes]] = {}
    sources = [payload_source(owner, payload, store) for owner, payload in pieces]
    with damage_first(sources):
        for source in sources:
            for record in payload_records(source):
                name = record.name.decode()
                folder, slash, file = name.partition("/")
                is_library = slash and folder.endswith(".libs") and ".so" in file
                if is_library and "/" not in file and file not in system.sonames:
                    moves.setdefault(source.key, {})[record.name] = f"lib/{file}".encode()
    return moves


def refuse_lost_libraries(path: Path, target: TargetFacts) -> None:
    """Raise CannotBuild when a library of the layer at `path` does not find one that was moved."""
    with zip_view(path, at="/opt/") as view:
        libraries, _ = read_libraries(view)
    moved = {library.path for library in libraries if library.path.startswith("/opt/lib/")}
    for fault in Loader(libraries, load_runtime_system(_target(target))).unresolved():
        if fault.elsewhere in moved:
            raise CannotBuild(
                f"`{fault.needing.path}` does not find `{fault.soname}`, which went to "
                f"`{fault.elsewhere}`",
                hint="leave `libraries` out of the layer's settings",
            )


def _target(facts: TargetFacts) -> Target:
    return load_target(facts.runtime, facts.architecture, facts.kind)
