"""Distributions that go to /tmp: which, whether they fit, their archives, what of them stays."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.utils import canonicalize_name

from packager.assemble.offload_output import write_archives
from packager.model.offload import SUFFIXES, Codec, Offloaded
from packager.model.payload import Dependencies, Payload, json_ready, offloaded_from_document
from packager.model.plan import Item
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.selection import Graph
from packager.model.target import Target
from packager.pipeline.memory import (
    archive_file,
    archive_is_whole,
    digest_of,
    key_of,
    proven_payload,
)
from packager.pipeline.payloads import Placed
from packager.place.offload_codec import cheapest_codec
from packager.place.offload_groups import groups_of
from packager.place.offload_settings import check_space, destination
from packager.place.rates import shipped_rates
from packager.slim.needed_libraries import needed_libraries
from packager.slim.offload_archive import RECIPE, disk_bytes, write_archive, write_remainder
from packager.slim.offload_modules import is_metadata, module_names
from packager.slim.payload_reader import PayloadReader
from packager.slim.tar_archive import tar_maker
from packager.slim.traced import is_library
from packager.wheels.store import EntryLostError, Store

# Each keeps one processor and, with xz, about 100 MB.
_PACKERS_AT_ONCE = 2


def offload(
    function: Function,
    target: Target,
    names: Sequence[str],
    placed: Placed,
    *,
    graph: Graph,
    store: Store,
    reporter: Reporter,
) -> Placed:
    """Put the distributions `names` into archives; only their metadata stays in their payloads.

    Raises UsageError, before anything is packed, when they do not fit into /tmp, or cannot be
    without another one.
    """
    sources = {
        of[0]: [payload, *([placed.bytecode[of]] if of in placed.bytecode else [])]
        for of, payload in placed.payloads.items()
    }
    groups = _groups(function, names, sources, graph, store)
    codec = _codec(function, target, names, sources)
    reporter.step(f"offloading {', '.join(names)} ({codec})")
    titles = {name: f"{name}-{version}" for name, version in placed.payloads}
    with ThreadPoolExecutor(_PACKERS_AT_ONCE) as threads:
        made = threads.map(
            lambda name: _packed(sources[name], codec, title=titles[name], store=store), names
        )
        packed = dict(zip(names, made, strict=True))
    nested = function.offload_from == "zip"
    archives = {
        name: _located(each, function)._replace(group=groups[name]) for name, each in packed.items()
    }
    kept = {
        of: _remainder(sources[of[0]], archives[of[0]], nested=nested, store=store)
        if of[0] in archives
        else payload
        for of, payload in placed.payloads.items()
    }
    return Placed(
        payloads=kept,
        bytecode={of: payload for of, payload in placed.bytecode.items() if of[0] not in archives},
        archives=archives,
        makers=(*placed.makers, *(() if codec == "deflate" else (tar_maker(codec),))),
    )


def _groups(
    function: Function,
    names: Sequence[str],
    sources: Mapping[str, Sequence[Payload]],
    graph: Graph,
    store: Store,
) -> dict[str, str]:
    """Check that all of it fits into /tmp, and find out who has to lie beside whom."""
    files = {name: _sizes_of(each, store) for name, each in sources.items()}
    check_space({name: disk_bytes(files[name]) for name in names}, function)
    packages = {name: module_names(listed).packages for name, listed in files.items()}
    return groups_of(names, files, packages, _linked(names, graph, files, sources, store))


def _located(archive: Offloaded, function: Function) -> Offloaded:
    """Say where in S3 the archive goes: the name tells the contents, so nothing is overwritten."""
    if function.offload_from == "zip":
        return archive
    bucket, prefix = destination(function.offload_url)
    suffix = SUFFIXES[archive.codec]
    title = archive.archive.removesuffix(suffix)
    key = f"{prefix}{title}-{archive.sha256[:16]}{suffix}"
    return archive._replace(bucket=bucket, object_key=key)


def _codec(
    function: Function,
    target: Target,
    names: Sequence[str],
    sources: Mapping[str, Sequence[Payload]],
) -> Codec:
    if function.offload_codec != "auto":
        return function.offload_codec
    items = {
        name: Item(
            name=name,
            version="",
            entries=sum(each.entries for each in payloads),
            uncompressed_bytes=sum(each.uncompressed_bytes for each in payloads),
            compressed_bytes=sum(each.compressed_bytes for each in payloads),
        )
        for name, payloads in sources.items()
    }
    return cheapest_codec(
        [items[name] for name in names],
        [each for name, each in items.items() if name not in names],
        target,
        shipped_rates(),
        upload=function.upload,
        nested=function.offload_from == "zip",
    )


def _sizes_of(payloads: Sequence[Payload], store: Store) -> dict[str, int]:
    """Return name and uncompressed bytes of each file of a distribution but its metadata."""
    sizes: dict[str, int] = {}
    for payload in payloads:
        with proven_payload(store, payload).open("rb") as source:
            records = PayloadReader(source).records
        sizes |= {
            name: record.uncompressed_bytes
            for name, record in records.items()
            if not is_metadata(name)
        }
    return sizes


def _linked(
    names: Sequence[str],
    graph: Graph,
    files: Mapping[str, Mapping[str, int]],
    sources: Mapping[str, Sequence[Payload]],
    store: Store,
) -> list[tuple[str, str]]:
    """Return pairs of distributions where the first loads libraries that only the second has.

    Only what requires another is looked at, and only when one of the two is offloaded.
    """
    offered = {name: _plain_libraries(listed) for name, listed in files.items()}
    found = []
    for edge in graph.edges:
        one, two = str(edge.parent), canonicalize_name(edge.requirement.name)
        if one not in files or not offered.get(two) or not {one, two} & {*names}:
            continue
        asked = _needed_by(sources[one], store) - {each.rpartition("/")[2] for each in files[one]}
        if asked & offered[two]:
            found.append((one, str(two)))
    return found


def _plain_libraries(names: Mapping[str, int]) -> frozenset[str]:
    bases = (name.rpartition("/")[2] for name in names if is_library(name))
    return frozenset(base for base in bases if base.startswith("lib"))


def _needed_by(payloads: Sequence[Payload], store: Store) -> frozenset[str]:
    needed: set[str] = set()
    for payload in payloads:
        with proven_payload(store, payload).open("rb") as source:
            reader = PayloadReader(source)
            for name in filter(is_library, reader.records):
                with reader.opened(name, store.root) as file:
                    needed.update(needed_libraries(file))
    return frozenset(needed)


def _packed(payloads: Sequence[Payload], codec: Codec, *, title: str, store: Store) -> Offloaded:
    """Return the archive of a distribution, made before or now."""
    maker = "" if codec == "deflate" else tar_maker(codec)
    key = key_of("offload", RECIPE, codec, maker, title, [payload.key for payload in payloads])
    document = store.read_document("offload", key)
    if document is not None:
        known = offloaded_from_document(document)
        if archive_is_whole(store, known):
            return known
    sources = [proven_payload(store, payload) for payload in payloads]
    with store.writing("offload", key, SUFFIXES[codec], durable=False) as temporary:
        made = write_archive(sources, temporary, codec=codec, key=key, title=title)
    store.write_document("offload", key, json_ready(made))
    return made


def _remainder(
    payloads: Sequence[Payload], archive: Offloaded, *, nested: bool, store: Store
) -> Payload:
    """Return the payload with the metadata, and with the archive when that is `nested`."""
    whole = payloads[0]
    key = key_of("offload-remainder", RECIPE, whole.key, archive.sha256, nested)
    dropped = tuple(row for payload in payloads for row in payload.dropped)
    with store.writing("payloads", key, ".zip", durable=False) as temporary:
        made = write_remainder(
            proven_payload(store, whole),
            _proven_archive(store, archive) if nested else None,
            temporary,
            key=key,
            named=archive.archive,
        )
    return made._replace(dropped=dropped, stripped=whole.stripped)


def _proven_archive(store: Store, archive: Offloaded) -> Path:
    """Give the place of an archive after hashing it; raises EntryLostError for a damaged one."""
    place = archive_file(store, archive)
    if digest_of(place) != archive.sha256:
        store.discard("offload", archive.key, SUFFIXES[archive.codec])
        raise EntryLostError(f"the archive {archive.archive}")
    return place


def write_offloaded(dependencies: Dependencies, folder: Path, *, store: Store) -> None:
    """Write the archives for S3 into `folder`; none of them when they are inside the zip.

    Raises EntryLostError when the store lost one, CannotBuild when the disk refuses.
    """
    found = [each.offloaded for each in dependencies.shipped if each.offloaded]
    for_s3 = [each for each in found if each.bucket]
    write_archives(folder, {_proven_archive(store, each): each for each in for_s3})
