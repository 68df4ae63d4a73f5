"""The bootstrap of traced builds: its files as a payload, and the user's files it stands before."""

from packager.bootstrap.placing import bootstrap_files
from packager.model.payload import Payload, json_ready, payload_from_document
from packager.model.project import Function, SourceFile, SourceTree
from packager.pipeline_memory import lasting_key_of
from packager.slim.traced_payload import write_files_payload
from packager.wheels.store import Store


def place_bootstrap(
    function: Function, tree: SourceTree, *, store: Store
) -> tuple[Payload, tuple[SourceFile, ...]]:
    """Return the bootstrap's payload, and the user's files under the names they have beside it.

    Raises UsageError when the handler is not in the user's own code.
    """
    placed = bootstrap_files(function.handler, [source.archive_name for source in tree.files])
    key = lasting_key_of("bootstrap", [[name, data.decode()] for name, data in placed.added])
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
        payload = write_files_payload(dict(placed.added), temporary, key=key)
    store.write_document("bootstrap", key, json_ready(payload))
    return payload, tuple(code)
