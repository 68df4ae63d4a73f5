"""Wheels of the store become payloads in the store, each once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from packaging.metadata import Metadata, RawMetadata
from packaging.utils import NormalizedName, canonicalize_name

from packager.errors import CannotBuild
from packager.model.deflating import encoder
from packager.model.payload import Payload, json_ready, payload_from_document
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.selection import Pin
from packager.pipeline_memory import key_of
from packager.slim.payload import RECIPE, write_payload
from packager.wheels.admission import admit
from packager.wheels.store import Store

# Inflating, hashing and checking release the interpreter's lock; more threads than this only
# raise the memory needed.
_ADMISSIONS_AT_ONCE = 4


class Ready:
    """A wheel after admission: what the later stages need of it, as the store remembers it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Wrap the remembered `document`."""
        self.payload = payload_from_document(document["payload"])
        self.findings: tuple[str, ...] = tuple(document["findings"])
        raw: RawMetadata = document["metadata"]
        self.metadata = Metadata.from_raw(raw, validate=False)


def admit_all(
    function: Function, pins: tuple[Pin, ...], *, store: Store, reporter: Reporter
) -> dict[NormalizedName, Ready]:
    """Admit every wheel that was not admitted before, several at once."""
    lenient = {_normal(text) for text in function.allow_record_mismatch}

    def one(pin: Pin) -> Ready:
        return _admit(pin, store=store, lenient=f"{pin.name}=={pin.version}" in lenient)

    reporter.begin("admitting", sum(pin.wheel.size_bytes or 0 for pin in pins))
    try:
        with ThreadPoolExecutor(_ADMISSIONS_AT_ONCE) as threads:
            results = list(threads.map(one, pins))
    finally:
        reporter.end()
    return dict(zip((pin.name for pin in pins), results, strict=True))


def _normal(text: str) -> str:
    name, _, version = text.partition("==")
    return f"{canonicalize_name(name.strip())}=={version.strip()}"


def _admit(pin: Pin, *, store: Store, lenient: bool) -> Ready:
    """Return what is known of a wheel, admitting it and writing its payload if need be."""
    wheel = pin.wheel
    key = key_of("payload", RECIPE, encoder(), wheel.sha256, lenient)
    known = store.read_document("admitted", key)
    if known is not None:
        ready = Ready(known)
        if _is_whole(store, ready.payload):
            return ready
    path = store.wheel_path(wheel.sha256)
    admitted = admit(
        path, sha256=wheel.sha256, filename=wheel.filename, allow_record_mismatch=lenient
    )
    if (admitted.name, admitted.version) != (pin.name, pin.version):
        raise CannotBuild(
            f"the lock takes `{wheel.filename}` for {pin.name} {pin.version}, "
            f"and it is {admitted.name} {admitted.version}"
        )
    with store.writing("payloads", key, ".zip", durable=False) as temporary:
        payload = write_payload(path, admitted, temporary, key=key)
    document = {
        "payload": json_ready(payload),
        "findings": list(admitted.findings),
        "metadata": _raw(admitted.metadata),
    }
    store.write_document("admitted", key, document)
    return Ready(document)


def _raw(metadata: Metadata) -> dict[str, Any]:
    """Keep of METADATA what the graph needs, and nothing that is merely long."""
    return {
        "metadata_version": "2.1",
        "name": metadata.name,
        "version": str(metadata.version),
        "requires_dist": [str(requirement) for requirement in metadata.requires_dist or ()],
        "provides_extra": [str(extra) for extra in metadata.provides_extra or ()],
    }


def _is_whole(store: Store, payload: Payload) -> bool:
    try:
        return store.file("payloads", payload.key, ".zip").stat().st_size == payload.file_bytes
    except OSError:
        return False
