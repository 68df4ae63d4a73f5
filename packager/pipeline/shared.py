"""The shared store between what is on this machine and what would have to be made.

Three kinds of documents: an `answer` is all that was found out about one set of dependencies,
an `admitted` all about one wheel, a `slimmed` about one payload. An answer spares the resolver,
every wheel and every payload's making; where it is missing, the other two spare what they can.
The bytes they tell of are kept under their own digest.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packager.code_identity import code_digest
from packager.model.build import BuildOptions
from packager.model.deflating import encoder, large_encoder
from packager.model.payload import Dependencies
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.requirement import RequirementSet
from packager.model.shared_store import Blob, SharedPlace, WrongValueError
from packager.pipeline.memory import Memory, lasting_key_of, portable_settings_of
from packager.pipeline.requirements import determined_content
from packager.pipeline.shared_values import (
    Entry,
    checked_dependencies,
    entries_of,
)
from packager.shared.client import Name, SharedStore
from packager.shared.settings import shared_place
from packager.shared.uploads import Uploads

if TYPE_CHECKING:
    # It loads what reads METADATA, which an answer needs none of.
    from packager.model.selection import Selection

_MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)


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
        self.side = side
        self.function = function
        self.store = memory.store
        self.needs_wheels = memory.needs_wheels
        self.reporter = reporter
        self.keys: list[str] = []

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
        return self._recall(self.key("requirements", self._facts(requirements, beside), content))

    def recall_selected(
        self, requirements: RequirementSet, beside: Sequence[str | None], selection: "Selection"
    ) -> Dependencies | None:
        """Return the answer for what a resolver chose, as `recall_determined` does."""
        chosen = [
            [pin.name, str(pin.version), pin.wheel.filename, pin.wheel.sha256]
            for pin in selection.pins
        ]
        facts = self._facts(requirements, beside)
        return self._recall(self.key("selection", facts, chosen, selection.resolver))

    def _recall(self, key: str) -> Dependencies | None:
        self.keys.append(key)
        if self.needs_wheels:
            return None
        found: list[Dependencies] = []

        def check(_: Name, value: dict[str, Any]) -> None:
            found.append(checked_dependencies(value))

        self.documents([("answer", key)], check)
        if not found:
            return None
        self.bring(self._missing(found[0]))
        if self._missing(found[0]):
            return None
        self.reporter.step(
            f"{len(found[0].shipped)} payloads from the shared store, no wheel fetched"
        )
        return found[0]

    def _facts(self, requirements: RequirementSet, beside: Sequence[str | None]) -> list[Any]:
        declared = [[str(item.requirement), item.origin] for item in requirements.declared]
        return [portable_settings_of(self.function), declared, list(beside)]

    def key(self, *values: object) -> str:
        """Return the key of `values` there, with everything else that decides bytes."""
        return lasting_key_of(code_digest(), encoder(), large_encoder(), *values)

    def paths(self, entries: Sequence[tuple[Blob, Entry]]) -> dict[Blob, Path]:
        """Return the files on this machine."""
        return {blob: self.store.file(*entry) for blob, entry in entries}

    def _missing(self, dependencies: Dependencies) -> list[tuple[Blob, Entry]]:
        """Return what the dependencies ship and the store of this machine lacks."""
        return [
            (blob, entry)
            for blob, entry in entries_of(dependencies)
            if not self.store.has(*entry, blob.bytes)
        ]

    def documents(
        self, names: Sequence[Name], check: Callable[[Name, dict[str, Any]], None]
    ) -> None:
        """Ask for documents that were not asked for yet; `check` gets those that are there.

        What it raises for a malformed one makes that a wrong value.
        """

        def checked(name: Name, value: dict[str, Any]) -> None:
            try:
                check(name, value)
            except _MALFORMED:
                raise WrongValueError("it does not hold what it should") from None

        new = [name for name in names if name not in self.side.asked]
        self.side.asked.update(new)
        self.side.client.documents(new, checked)
        self._tell()

    def bring(self, wanted: Sequence[tuple[Blob, Entry]]) -> None:
        """Bring bytes into their places in the store of this machine."""
        if not wanted:
            return
        places: dict[Blob, list[Entry]] = {}
        for blob, entry in wanted:
            places.setdefault(blob, []).append(entry)

        def receive(blob: Blob, chunks: Iterator[bytes]) -> None:
            with ExitStack() as stack:
                files = [
                    stack.enter_context(stack.enter_context(writing).open("wb"))
                    for writing in (
                        self.store.writing(*entry, durable=False) for entry in places[blob]
                    )
                ]
                for chunk in chunks:
                    self.reporter.advance(len(chunk))
                    for file in files:
                        file.write(chunk)
            self.side.uploads.note_there(blob.sha256)

        self.reporter.begin("from the shared store", sum(blob.bytes for blob in places))
        try:
            self.side.client.blobs(list(places), receive)
        finally:
            self.reporter.end()
        self._tell()

    def _tell(self) -> None:
        for warning in self.side.client.warnings():
            self.reporter.warn(warning)
