"""Statements of provenance: what went into an artifact, found again on the disk and hashed."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packager.assemble.output import atomic_output
from packager.errors import CannotBuild
from packager.gate.git_state import find_git_state
from packager.inputs.shown_settings import shown_settings
from packager.model.build import Build
from packager.model.image import ImageArtifact
from packager.model.project import Function, SourceTree
from packager.pipeline.build import inputs_of, manifest_path
from packager.report.provenance import (
    FILES_FORMAT,
    Descriptor,
    Materials,
    descriptor,
    render_provenance,
)
from packager.wheels.store import Store


def provenance_path(function: Function) -> Path:
    """Where the statement about `function` goes."""
    return function.target_dir / f"{function.name}.intoto.jsonl"


def write_provenance(
    build: Build,
    tree: SourceTree,
    manifest: Mapping[str, Any],
    *,
    urls: Mapping[str, str],
    sbom: Path | None,
    store: Store,
) -> Path:
    """Write the statement about what was built; raises CannotBuild when a file is not as it was.

    `urls` are where the wheels of the public index are, by file name; `sbom` is the bill of
    materials that was written beside.
    """
    function = build.function
    archive = None
    if isinstance(build.artifact, ImageArtifact) and build.artifact.archive:
        archive = _file(function.target_dir / build.artifact.archive)
    beside = [manifest_path(function), *([sbom] if sbom is not None else [])]
    materials = Materials(
        settings=shown_settings(function),
        urls=urls,
        inputs=[*_commit(function, tree), *_inputs(build, tree, manifest, store=store)],
        byproducts=[_file(path) for path in beside],
        archive=archive,
    )
    path = provenance_path(function)
    with atomic_output(path, durable=function.release, hashed=False) as output:
        output.write(render_provenance(manifest, materials, builder=function.builder_id).encode())
    return path


def _commit(function: Function, tree: SourceTree) -> Iterable[Descriptor]:
    state = find_git_state(function.root, (file.path for file in tree.files))
    if state is None:
        return
    place = {"uri": state.uri} if state.uri else {}
    yield {
        "name": "commit",
        **place,
        "digest": {"gitCommit": state.commit},
        "annotations": {"dirty": state.dirty},
    }


def _inputs(
    build: Build, tree: SourceTree, manifest: Mapping[str, Any], *, store: Store
) -> Iterable[Descriptor]:
    """Yield the user's own files as one digest, the files that say what to bundle, and the lock."""
    function = build.function
    lines = sorted(_lines(tree, manifest))
    digest = hashlib.sha256(b"".join(line for _, line in lines)).hexdigest()
    told = {"files": len(lines), "format": FILES_FORMAT}
    yield {**descriptor("project files", digest), "annotations": told}
    read = [*map(Path, inputs_of(function, store=store)), *function.configuration_files]
    for path in sorted({each for each in read if each.is_file()}):
        inside = path.is_relative_to(function.root)
        yield _file(path, path.relative_to(function.root).as_posix() if inside else path.name)
    yield descriptor("lock (pylock.toml)", build.dependencies.lock_sha256)


def _lines(tree: SourceTree, manifest: Mapping[str, Any]) -> Iterable[tuple[bytes, bytes]]:
    """Yield path and line of every file; the checksum in the manifest proves it is what went in."""
    packed = {row[0]: row[3] for row in manifest["code"]["files"]}
    for file in tree.files:
        data, name = Path(file.path).read_bytes(), file.archive_name
        if packed.get(name, zlib.crc32(data)) != zlib.crc32(data):
            raise CannotBuild(f"`{file.path}` changed while it was built", hint="build again")
        path = name.encode()
        yield path, b"%s  %s\n" % (hashlib.sha256(data).hexdigest().encode(), path)


def _file(path: Path, name: str = "") -> Descriptor:
    with path.open("rb") as file:
        return descriptor(name or path.name, hashlib.file_digest(file, "sha256").hexdigest())
