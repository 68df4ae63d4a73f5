"""Finished artifacts held against a slow reference: `lpack build --check`.

    wheels and locks of the store → a build in an empty store → a reference by the standard library
    → file maps, archives and manifests compared

Of the store only wheels, which are hashed, and locks are used: not payloads, nor what is
remembered of them.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from packager.errors import CannotBuild
from packager.inputs.requirements import read_requirements
from packager.inputs.source_tree import collect_source
from packager.model.build import Build, BuildOptions, FunctionLayers
from packager.model.progress import Reporter
from packager.model.project import Function, SourceTree
from packager.parsing import parse_json
from packager.pipeline.build import builder_of, layers_of, manifest_path, shipped_parts
from packager.reference.compare import Difference, differences, in_order
from packager.reference.file_map import FileMap, map_of_zip
from packager.reference.image_files import zip_of_image
from packager.reference.manifests import manifest_differences
from packager.reference.rebuild import Ingredients, write_reference
from packager.verify.image_artifact import check_image
from packager.wheels.store import Store

# Wheels are addressed by their digest and hashed again; locks name these digests. `pulled` and
# `bases` are images that others built.
_LENT = ("wheels", "locks", "attested", "pulled", "bases")


class Checked(NamedTuple):
    """One thing that was compared: an artifact, a manifest, an archive.

    `files` is how many files the reference has, 0 where bytes were compared as a whole.
    """

    path: Path
    files: int
    differences: tuple[Difference, ...]


class _Slow(NamedTuple):
    """Where the reference is made, from what and how."""

    folder: Path
    store: Store
    options: BuildOptions
    reporter: Reporter

    @property
    def target_dir(self) -> Path:
        return self.folder / "dist"


def edited_since(function: Function) -> bool:
    """Tell whether an output of `function` is not the one that its manifest names.

    An output that is missing was not edited.
    """
    try:
        manifest = parse_json(manifest_path(function).read_bytes())
        rows = [
            manifest["artifact"],
            *(each for each in manifest["layers"] if not each["foreign"]),
        ]
        told = [(function.target_dir / each["path"], each["sha256"]) for each in rows]
        if manifest["offload"] and manifest["offload"]["form"] == "s3":
            told += [
                (function.target_dir / each["archive"], each["sha256"])
                for each in manifest["offload"]["archives"]
            ]
        if manifest["artifact"]["kind"] == "image":
            image, _ = told[0]
            return image.is_dir() and bool(check_image(image, manifest))
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return any(place.is_file() and _digest(place) != digest for place, digest in told)


def check_builds(
    functions: Sequence[Function],
    everyone: Sequence[Function],
    *,
    store: Store,
    options: BuildOptions,
    reporter: Reporter,
) -> list[Checked]:
    """Build `functions` once more, slowly, and compare with what lies in their target folders.

    Raises LpackError as a build does, and when an artifact is not there or no zip.
    """
    options = options._replace(upgrade=False, write_lock=False, alone=True)
    with TemporaryDirectory(prefix="lpack-check-") as name:
        slow = _Slow(Path(name), _lent(store, Path(name, "store")), options, reporter)
        inside = {
            each.name: each._replace(target_dir=slow.target_dir)
            for each in (*everyone, *functions)
        }  # fmt: skip
        layers = layers_of(
            [inside[each.name] for each in functions],
            [*inside.values()],
            store=slow.store,
            options=options,
            reporter=reporter,
        )
        checked: dict[Path, Checked] = {}
        for function in functions:
            for each in _check(function, layers.get(function.name), slow):
                checked.setdefault(each.path, each)
        return [*checked.values()]


def _check(function: Function, layers: FunctionLayers | None, slow: _Slow) -> Iterator[Checked]:
    """Build one function in the slow folder and compare all its outputs."""
    fresh, tree = function._replace(target_dir=slow.target_dir), collect_source(function)
    more: dict[str, Any] = {} if layers is None else {"layers": layers}
    build = builder_of(fresh)(
        fresh, tree, store=slow.store, options=slow.options, reporter=slow.reporter, **more
    )
    if fresh.sbom:
        # Loaded here because it needs an extra; the statement of provenance names a commit.
        from packager.pipeline.supply import write_supply  # noqa: PLC0415

        told = build.function._replace(provenance=False)
        write_supply(build._replace(function=told), tree, store=slow.store, reporter=slow.reporter)
    yield from _compared(function, build, tree, slow, layers)


def _lent(store: Store, folder: Path) -> Store:
    """Return an empty store that sees the wheels and the locks of `store`, file by file."""
    folder.mkdir(mode=0o700)
    for kind in _LENT:
        for path in sorted(store.root.joinpath(kind).glob("*/*")):
            place = folder / kind / path.parent.name / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path)
    return Store(folder)


def _compared(
    function: Function,
    build: Build,
    tree: SourceTree,
    slow: _Slow,
    layers: FunctionLayers | None,
) -> Iterator[Checked]:
    """Hold the outputs of `function` against those of the fresh `build`, the reference between."""
    fresh = build.function
    manifest = parse_json(manifest_path(fresh).read_bytes())
    yield _archive(
        function.target_dir / manifest["artifact"]["path"],
        _ingredients(build, tree, manifest, slow),
        slow,
    )
    for layer in layers.layers if layers is not None else ():
        if layer.artifact is not None:
            name = Path(layer.artifact.path).name
            document = parse_json(_layer_manifest(slow.target_dir / name).read_bytes())
            rows = Ingredients(
                tuple(document["distributions"]), slow.store.wheel_path, slow.target_dir,
                folder=f"{layer.root}/",
            )  # fmt: skip
            yield _archive(function.target_dir / name, rows, slow)
            yield _manifest(_layer_manifest(function.target_dir / name), slow, loose=_loose(fresh))
    for path in _as_a_whole(fresh):
        yield _bytes(function.target_dir / path, slow.target_dir / path)
    yield _manifest(manifest_path(function), slow, loose=_loose(fresh))


def _layer_manifest(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".zip") + ".lpack.json")


def _ingredients(
    build: Build, tree: SourceTree, manifest: dict[str, Any], slow: _Slow
) -> Ingredients:
    """Return what the function's own archive is made of, as its manifest says."""
    function = build.function
    payloads, code = shipped_parts(function, build.dependencies, tree, store=slow.store)
    made: set[str] = set()
    for payload in payloads:
        if not payload.owner:
            with zipfile.ZipFile(payload.path) as bootstrap:
                made.update(bootstrap.namelist())
    rows = manifest["distributions"]
    image = manifest["image"]
    archives = (manifest["offload"] or {"archives": ()})["archives"]
    return Ingredients(
        distributions=tuple(row for row in rows if row["placement"] in {"zip", "image", "offload"}),
        wheel_of=slow.store.wheel_path,
        beside=slow.target_dir,
        folder=f"{image['root'].strip('/')}/" if image else "",
        code=tuple(code),
        made=frozenset(made),
        archives={each["name"]: each["archive"] for each in archives},
    )


def _archive(shipped: Path, ingredients: Ingredients, slow: _Slow) -> Checked:
    """Write the reference of an archive and compare; the fresh one lies in the slow folder."""
    fresh = slow.target_dir / shipped.name
    reference = slow.folder / "reference.zip"
    one = _as_zip(fresh, slow.folder / "fresh.zip")
    found = write_reference(reference, ingredients, fresh=one)
    expected = map_of_zip(reference)
    try:
        seen = map_of_zip(_as_zip(shipped, slow.folder / "shipped.zip"))
    except CannotBuild as error:
        broken = Difference("", "broken", f"cannot be read: {error.message}")
        return Checked(shipped, len(expected.files), (broken,))
    found += differences(expected, seen)
    if not found and _identity(fresh) != _identity(shipped):
        found.append(Difference("", "around", _around(map_of_zip(one), seen)))
    return Checked(shipped, len(expected.files), tuple(found))


def _as_zip(path: Path, destination: Path) -> Path:
    if not path.is_dir():
        return path
    zip_of_image(path, destination)
    return destination


def _identity(path: Path) -> str | None:
    return _digest(path / "index.json" if path.is_dir() else path)


def _around(fresh: FileMap, seen: FileMap) -> str:
    if not in_order(fresh, seen):
        return "the files are the right ones in another order"
    return "the files are the right ones, what stands around them is not: headers or compression"


def _as_a_whole(fresh: Function) -> Iterator[str]:
    """Yield what is compared byte for byte, seen from the target folder."""
    folder = fresh.target_dir
    yield from sorted(
        f"{fresh.name}.offload/{path.name}" for path in folder.glob(f"{fresh.name}.offload/*")
    )
    if fresh.package_type == "image" and fresh.image_archive:
        yield f"{fresh.name}.image.tar"
    if fresh.sbom:
        yield f"{fresh.name}.cdx.json"


def _bytes(shipped: Path, fresh: Path) -> Checked:
    found: tuple[Difference, ...] = ()
    if not shipped.is_file():
        found = (Difference("", "missing", "is missing"),)
    elif _digest(shipped) != _digest(fresh):
        found = (Difference("", "bytes", "has other bytes"),)
    return Checked(shipped, 0, found)


def _manifest(shipped: Path, slow: _Slow, *, loose: bool) -> Checked:
    fresh = (slow.target_dir / shipped.name).read_bytes()
    try:
        seen = shipped.read_bytes()
    except FileNotFoundError:
        return Checked(shipped, 0, (Difference("", "missing", "is missing"),))
    return Checked(shipped, 0, tuple(manifest_differences(fresh, seen, loose=loose)))


def _loose(function: Function) -> bool:
    """Tell whether wheels are built here, of which no two are the same."""
    return bool(function.allow_sdist or read_requirements(function).local_projects)


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
