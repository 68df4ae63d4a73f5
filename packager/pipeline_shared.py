"""The shared store between what is on this machine and what would have to be made.

Three kinds of documents: an `answer` is all that was found out about one set of dependencies,
an `admitted` all about one wheel, a `slimmed` about one payload. An answer spares the resolver,
every wheel and every payload's making; where it is missing, the other two spare what they can.
The bytes they tell of are kept under their own digest.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from packaging.metadata import InvalidMetadata
from packaging.utils import NormalizedName

from packager.code_identity import code_digest
from packager.model.build import BuildOptions
from packager.model.deflating import encoder, large_encoder
from packager.model.payload import Dependencies, Payload, json_ready, payload_from_document
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.requirement import RequirementSet
from packager.model.selection import Pin, Selection
from packager.model.shared_store import Blob, SharedPlace, WrongValueError
from packager.pipeline_admission import Ready, admission_keys, payload_keys
from packager.pipeline_memory import Memory, is_whole, lasting_key_of, portable_settings_of
from packager.pipeline_shared_values import (
    Entry,
    admission_fault,
    blob_of,
    checked_dependencies,
    checked_payload,
    determined_content,
    entries_of,
    entry_of,
)
from packager.shared.client import Name, SharedStore
from packager.shared.settings import shared_place
from packager.shared.uploads import Uploads

_MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError, InvalidMetadata)


class _Side:
    """The shared store of this process, what waits to be uploaded, what was asked for."""

    def __init__(self, place: SharedPlace) -> None:
        self.client = SharedStore(place)
        self.uploads = Uploads(self.client)
        self.asked: set[Name] = set()


@cache
def _side(place: SharedPlace) -> _Side:
    return _Side(place)


def shared_build(
    function: Function, memory: Memory, *, options: BuildOptions, reporter: Reporter
) -> "SharedBuild | None":
    """Return the shared store for one build, None where there is none or it must not be asked.

    Raises UsageError when the environment names one that cannot be.
    """
    place = shared_place(os.environ)
    if place is None or options.offline or options.alone:
        return None
    return SharedBuild(_side(place), function, memory, reporter=reporter)


def finish_uploads(reporter: Reporter) -> None:
    """Upload what this process made, after everything else is done; never raises."""
    place = shared_place(os.environ)
    if place is None or not place.writes:
        return
    side = _side(place)
    done = side.uploads.finish()
    for warning in side.client.warnings():
        reporter.warn(warning)
    if done.values:
        rest = "" if done.complete else ", not all of it"
        reporter.step(f"added {done.values} values to the shared store{rest}")


class SharedBuild:
    """What the shared store knows of one function's dependencies.

    Nothing is asked twice in one process: what turned out to be of no use is made here.
    """

    def __init__(
        self, side: _Side, function: Function, memory: Memory, *, reporter: Reporter
    ) -> None:
        """Ask for nothing yet."""
        self._side = side
        self._function = function
        self._store = memory.store
        self._needs_wheels = memory.needs_wheels
        self._reporter = reporter
        self._brought: set[Name] = set()
        self._keys: list[str] = []

    def recall_determined(
        self, requirements: RequirementSet, beside: Sequence[str | None]
    ) -> Dependencies | None:
        """Return the answer where the requirements leave nothing to a resolver.

        That is so with a lock, and where every file is named by its hash. Afterwards all that
        the dependencies ship is in the store of this machine.
        """
        if requirements.local_projects:
            return None
        if requirements.lock is None and not requirements.require_hashes:
            return None
        content = determined_content(requirements)
        return self._recall(self._key("requirements", self._facts(requirements, beside), content))

    def recall_selected(
        self, requirements: RequirementSet, beside: Sequence[str | None], selection: Selection
    ) -> Dependencies | None:
        """Return the answer for what a resolver chose, as `recall_determined` does."""
        chosen = [
            [pin.name, str(pin.version), pin.wheel.filename, pin.wheel.sha256]
            for pin in selection.pins
        ]
        facts = self._facts(requirements, beside)
        return self._recall(self._key("selection", facts, chosen, selection.resolver))

    def _recall(self, key: str) -> Dependencies | None:
        self._keys.append(key)
        if self._needs_wheels:
            return None
        found: list[Dependencies] = []

        def check(_: Name, value: dict[str, Any]) -> None:
            found.append(checked_dependencies(value))

        self._documents([("answer", key)], check)
        if not found:
            return None
        self._bring(self._missing(found[0]))
        if self._missing(found[0]):
            return None
        self._reporter.step(
            f"{len(found[0].shipped)} payloads from the shared store, no wheel fetched"
        )
        return found[0]

    def without_admission(self, pins: Sequence[Pin]) -> list[Pin]:
        """Bring what is known of wheels, and return those whose wheel has to be looked at."""
        keys = admission_keys(self._function, pins)
        lacking = {
            ("admitted", self._key(keys[pin.name])): pin
            for pin in pins
            if not self._store.has("admitted", keys[pin.name], ".json")
        }

        def check(name: Name, value: dict[str, Any]) -> None:
            pin = lacking[name]
            fault = admission_fault(Ready(keys[pin.name], value), pin)
            if fault:
                raise WrongValueError(fault)
            self._store.write_document("admitted", keys[pin.name], value)
            self._brought.add(name)

        self._documents(list(lacking), check)
        if self._needs_wheels:
            return list(pins)
        return [pin for name, pin in lacking.items() if name not in self._brought]

    def without_payload(
        self, pins: Sequence[Pin], ready: Mapping[NormalizedName, Ready], *, python: str
    ) -> list[Pin]:
        """Bring payloads, and return those whose payload has to be made of the wheel.

        What was only heard of those wheels is forgotten: they are looked at here.
        """
        keys = payload_keys(self._function, pins, ready, python=python)
        lacking = {
            ("slimmed", self._key(keys[pin.name])): pin
            for pin in pins
            if not self._has_payload(keys[pin.name])
        }
        told: dict[Name, Payload] = {}

        def check(name: Name, value: dict[str, Any]) -> None:
            payload = checked_payload(value)
            if payload.key != keys[lacking[name].name]:
                raise WrongValueError("it is about another payload")
            told[name] = payload

        self._documents(list(lacking), check)
        self._bring({blob_of(each): entry_of(each) for each in told.values()})
        for name, payload in told.items():
            if is_whole(self._store, payload):
                self._store.write_document("slimmed", payload.key, json_ready(payload))
                self._brought.add(name)
        rest = [pin for name, pin in lacking.items() if name not in self._brought]
        for pin in rest:
            if not self._store.has("members", ready[pin.name].key, ".json"):
                self._store.discard("admitted", ready[pin.name].key, ".json")
        if len(rest) < len(lacking):
            self._reporter.step(f"{len(lacking) - len(rest)} payloads from the shared store")
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
        if not self._side.client.settings.writes:
            return
        for pin in pins:
            self._keep("admitted", ready[pin.name].key, {})
        for key in payload_keys(self._function, pins, ready, python=python).values():
            known = self._store.read_document("slimmed", key)
            if known is not None:
                payload = payload_from_document(known)
                self._keep("slimmed", key, {blob_of(payload): entry_of(payload)})
        files = self._paths(entries_of(dependencies))
        for key in self._keys:
            self._side.uploads.add("answer", key, dependencies.to_document(), files)

    def _keep(self, kind: str, key: str, entries: Mapping[Blob, Entry]) -> None:
        name = (kind, self._key(key))
        document = self._store.read_document(kind, key)
        if name not in self._brought and document is not None:
            self._side.uploads.add(*name, document, self._paths(entries))

    def _facts(self, requirements: RequirementSet, beside: Sequence[str | None]) -> list[Any]:
        declared = [[str(item.requirement), item.origin] for item in requirements.declared]
        return [portable_settings_of(self._function), declared, list(beside)]

    def _key(self, *values: object) -> str:
        # Whatever decides bytes is in the key, so that nothing has to be compared.
        return lasting_key_of(code_digest(), encoder(), large_encoder(), *values)

    def _has_payload(self, key: str) -> bool:
        known = self._store.read_document("slimmed", key)
        return known is not None and is_whole(self._store, payload_from_document(known))

    def _paths(self, entries: Mapping[Blob, Entry]) -> dict[Blob, Path]:
        return {blob: self._store.file(*entry) for blob, entry in entries.items()}

    def _missing(self, dependencies: Dependencies) -> dict[Blob, Entry]:
        """Return what the dependencies ship and the store of this machine lacks."""
        return {
            blob: entry
            for blob, entry in entries_of(dependencies).items()
            if not self._store.has(*entry, blob.bytes)
        }

    def _documents(
        self, names: Sequence[Name], check: Callable[[Name, dict[str, Any]], None]
    ) -> None:
        def checked(name: Name, value: dict[str, Any]) -> None:
            try:
                check(name, value)
            except _MALFORMED:
                raise WrongValueError("it does not hold what it should") from None

        new = [name for name in names if name not in self._side.asked]
        self._side.asked.update(new)
        self._side.client.documents(new, checked)
        self._tell()

    def _bring(self, wanted: Mapping[Blob, Entry]) -> None:
        """Bring bytes into their places in the store of this machine."""
        if not wanted:
            return

        def receive(blob: Blob, chunks: Iterator[bytes]) -> None:
            with (
                self._store.writing(*wanted[blob], durable=False) as temporary,
                temporary.open("wb") as file,
            ):
                for chunk in chunks:
                    file.write(chunk)
                    self._reporter.advance(len(chunk))
            self._side.uploads.note_there(blob.sha256)

        self._reporter.begin("from the shared store", sum(blob.bytes for blob in wanted))
        try:
            self._side.client.blobs(list(wanted), receive)
        finally:
            self._reporter.end()
        self._tell()

    def _tell(self) -> None:
        for warning in self._side.client.warnings():
            self._reporter.warn(warning)
