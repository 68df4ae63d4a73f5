"""What the shared store knows of single wheels, where it has no answer for all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from packager.model.payload import Dependencies, Payload, json_ready, payload_from_document
from packager.model.selection import Pin
from packager.model.shared_store import Blob, WrongValueError
from packager.pipeline.admission import Ready, admission_keys, payload_keys
from packager.pipeline.memory import is_whole
from packager.pipeline.shared import SharedBuild
from packager.pipeline.shared_values import (
    Entry,
    blob_of,
    checked_payload,
    entries_of,
    entry_of,
)
from packager.shared.client import Name


class SharedWheels:
    """The wheels and payloads of one build."""

    def __init__(self, shared: SharedBuild) -> None:
        """Ask for nothing yet."""
        self._shared = shared
        self._brought: set[Name] = set()

    def without_admission(self, pins: Sequence[Pin]) -> list[Pin]:
        """Bring what is known of wheels, and return those whose wheel has to be looked at."""
        keys = admission_keys(self._shared.function, pins)
        lacking = {
            ("admitted", self._shared.key(keys[pin.name])): pin
            for pin in pins
            if not self._shared.store.has("admitted", keys[pin.name], ".json")
        }

        def check(name: Name, value: dict[str, Any]) -> None:
            pin = lacking[name]
            fault = _admission_fault(Ready(keys[pin.name], value), pin)
            if fault:
                raise WrongValueError(fault)
            self._shared.store.write_document("admitted", keys[pin.name], value)
            self._brought.add(name)

        self._shared.documents(list(lacking), check)
        if self._shared.needs_wheels:
            return list(pins)
        return [pin for name, pin in lacking.items() if name not in self._brought]

    def without_payload(
        self, pins: Sequence[Pin], ready: Mapping[NormalizedName, Ready], *, python: str
    ) -> list[Pin]:
        """Bring payloads, and return those whose payload has to be made of the wheel.

        What was only heard of those wheels is forgotten: they are looked at here.
        """
        keys = payload_keys(self._shared.function, pins, ready, python=python)
        lacking = {
            ("slimmed", self._shared.key(keys[pin.name])): pin
            for pin in pins
            if not self._has_payload(keys[pin.name])
        }
        told: dict[Name, Payload] = {}

        def check(name: Name, value: dict[str, Any]) -> None:
            payload = checked_payload(value)
            if payload.key != keys[lacking[name].name]:
                raise WrongValueError("it is about another payload")
            told[name] = payload

        self._shared.documents(list(lacking), check)
        self._shared.bring([(blob_of(each), entry_of(each)) for each in told.values()])
        for name, payload in told.items():
            if is_whole(self._shared.store, payload):
                self._shared.store.write_document("slimmed", payload.key, json_ready(payload))
                self._brought.add(name)
        rest = [pin for name, pin in lacking.items() if name not in self._brought]
        for pin in rest:
            if not self._shared.store.has("members", ready[pin.name].key, ".json"):
                self._shared.store.discard("admitted", ready[pin.name].key, ".json")
        if len(rest) < len(lacking):
            self._shared.reporter.step(f"{len(lacking) - len(rest)} payloads from the shared store")
        return rest

    def keep(
        self,
        dependencies: Dependencies,
        pins: Sequence[Pin],
        ready: Mapping[NormalizedName, Ready],
        *,
        python: str,
    ) -> None:
        """Have everything uploaded that was not brought from there."""
        if not self._shared.side.client.settings.writes:
            return
        for pin in pins:
            self._keep("admitted", ready[pin.name].key, [])
        for key in payload_keys(self._shared.function, pins, ready, python=python).values():
            known = self._shared.store.read_document("slimmed", key)
            if known is not None:
                payload = payload_from_document(known)
                self._keep("slimmed", key, [(blob_of(payload), entry_of(payload))])
        files = self._shared.paths(entries_of(dependencies))
        for key in self._shared.keys:
            self._shared.side.uploads.add("answer", key, dependencies.to_document(), files)

    def _keep(self, kind: str, key: str, entries: Sequence[tuple[Blob, Entry]]) -> None:
        name = (kind, self._shared.key(key))
        document = self._shared.store.read_document(kind, key)
        if name not in self._brought and document is not None:
            self._shared.side.uploads.add(*name, document, self._shared.paths(entries))

    def _has_payload(self, key: str) -> bool:
        known = self._shared.store.read_document("slimmed", key)
        return known is not None and is_whole(self._shared.store, payload_from_document(known))


def _admission_fault(ready: Ready, pin: Pin) -> str | None:
    """Say what is wrong with what is told of the wheel of `pin`; raises what parsing raises."""
    metadata = ready.metadata
    if (canonicalize_name(metadata.name), metadata.version) != (pin.name, pin.version):
        return f"it is about another wheel than `{pin.wheel.filename}`"
    # Parsed when first read, which must not happen later, where nobody expects a fault.
    _ = (metadata.requires_dist, metadata.provides_extra)
    figures = ready.as_it_is[3:7]
    return None if all(isinstance(each, int) for each in figures) else "it has no figures"
