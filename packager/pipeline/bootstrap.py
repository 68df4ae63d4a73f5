"""What runs before the user's code: its files as a payload, and the files it stands before."""

from pathlib import Path

from packager.assemble.offload_index import Arriving, offload_index
from packager.bootstrap.placing import (
    OFFLOAD,
    TRACED,
    BootstrapFiles,
    bootstrap_files,
    bootstrap_sources,
    find_handler,
    imports_offload,
)
from packager.model.offload import INDEX
from packager.model.payload import Dependencies, Payload, json_ready, payload_from_document
from packager.model.project import Function, SourceFile, SourceTree
from packager.pipeline.memory import lasting_key_of
from packager.slim.traced_payload import write_files_payload
from packager.wheels.store import Store


def place_bootstrap(
    function: Function, dependencies: Dependencies, tree: SourceTree, *, store: Store
) -> tuple[Payload, tuple[SourceFile, ...]]:
    """Return the bootstrap's payload, and the user's files under the names they have beside it.

    Raises UsageError when the handler is not in the user's own code.
    """
    placed = _files(function, tree)
    added = dict(placed.added)
    if function.offload:
        added[INDEX] = offload_index(
            Arriving(each.name, each.version, each.offloaded)
            for each in dependencies.shipped
            if each.offloaded
        )
    key = lasting_key_of("bootstrap", 2, [[name, data.decode()] for name, data in added.items()])
    renamed = dict(placed.renamed)
    code = [
        source._replace(archive_name=renamed.get(source.archive_name, source.archive_name))
        for source in tree.files
    ]
    known = store.read_document("bootstrap", key)
    if known is not None:
        payload = payload_from_document(known)
        if store.file("payloads", payload.key, ".zip").is_file():
            return payload, tuple(code)
    with store.writing("payloads", key, ".zip", durable=False) as temporary:
        payload = write_files_payload(added, temporary, key=key, stored=(INDEX,))
    store.write_document("bootstrap", key, json_ready(payload))
    return payload, tuple(code)


def _files(function: Function, tree: SourceTree) -> BootstrapFiles:
    paths = {source.archive_name: source.path for source in tree.files}
    handler = find_handler(function.handler, paths)
    if function.slim != "traced":
        own = Path(paths[handler.module]) if handler.module in paths else None
        if own and imports_offload(own.read_text(encoding="utf-8", errors="replace")):
            return BootstrapFiles(bootstrap_sources([OFFLOAD]), ())
        return bootstrap_files(handler, [OFFLOAD])
    return bootstrap_files(handler, [OFFLOAD, TRACED] if function.offload else [TRACED])
