"""Files that a lock chooses, held against what their publishers attest on the index (PEP 740).

    locked files → page of the index → provenance → signatures → statements → publishers

What is proven of a file stays true of its bytes: it is remembered, and nobody is asked again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from packaging.pylock import Package, Pylock

from packager.attest.trust import check_extra, root_digest
from packager.attest.verification import Unproven, Verification, publishing_types
from packager.errors import CannotBuild, WheelRefused
from packager.inputs.attested import attested_as
from packager.lock.locked_files import has_file
from packager.model.attestation import (
    LockedFile,
    demand_on,
    listed_publishers,
    parse_publisher,
    publisher_of,
)
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.requirement import IndexSettings
from packager.pipeline.index_pages import ask_indexes
from packager.pipeline.memory import lasting_key_of
from packager.wheels.store import Store

_KIND = "attested"
_NAMED = 3

Tables = list[dict[str, str]]


class _Refusal(NamedTuple):
    file: LockedFile
    reason: str
    hint: str | None = None


class Attesting:
    """What the files of one function's lock have to show, and what they did."""

    def __init__(
        self, function: Function, *, store: Store, offline: bool, reporter: Reporter
    ) -> None:
        """Ask for nothing yet."""
        self._function = function
        self._store = store
        self._offline = offline
        self._reporter = reporter
        self._wanted = dict(function.publishers)
        self._proven: dict[str, Tables] = {}
        self._names: dict[str, str] = {}

    def approve(self, files: Sequence[LockedFile], indexes: IndexSettings) -> None:
        """Verify what the settings demand of `files`.

        Raises WheelRefused for the first file that does not hold, CannotBuild when the index does
        not answer, UsageError when the extra or the trusted root is missing.
        """
        asked = [each for each in files if self._demand(each) != "off"]
        if not asked:
            return
        check_extra()
        keys = _keys(asked, root_digest(self._function.trusted_root))
        known = {each.filename: self._recall(keys[each.filename]) for each in asked}
        unknown = [each for each in asked if known[each.filename] is None]
        if self._offline and unknown:
            raise _forbidden(unknown)
        # That a file had no attestation is asked again: it may have one by now.
        unknown = [each for each in asked if not self._offline and not known[each.filename]]
        refused, found = self._learn(unknown, indexes, keys)
        for file in asked:
            tables = found.get(file.filename) or known[file.filename] or []
            if tables:
                self._proven[file.sha256] = tables
                self._names[file.name] = file.sha256
            if all(each.file != file for each in refused):
                refused += self._held_against(file, tables)
        if refused:
            raise _refused(sorted(refused, key=lambda each: each.file.filename))
        self._tell(asked)

    def publishers(self) -> dict[str, tuple[str, ...]]:
        """Return by distribution who published its file, as settings write them."""
        return {
            name: tuple(sorted({str(publisher_of(each)) for each in self._proven[sha256]}))
            for name, sha256 in self._names.items()
        }

    def noted_in(self, pylock: Pylock) -> Pylock:
        """Return the lock with the publishers of what was proven (PEP 751); told ones stay."""
        return replace(pylock, packages=[self._noted(each) for each in pylock.packages])

    def _noted(self, package: Package) -> Package:
        if package.attestation_identities:
            return package
        tables = [
            table
            for sha256 in sorted(self._proven)
            if has_file(package, sha256)
            for table in self._proven[sha256]
        ]
        return replace(package, attestation_identities=_distinct(tables) or None)

    def _demand(self, file: LockedFile) -> str:
        return demand_on(file.name, self._function.attestations, self._wanted)

    def _recall(self, key: str) -> Tables | None:
        document = self._store.read_document(_KIND, key)
        return None if document is None else document["publishers"]

    def _learn(
        self, files: Sequence[LockedFile], indexes: IndexSettings, keys: Mapping[str, str]
    ) -> tuple[list[_Refusal], dict[str, Tables]]:
        """Ask for provenance and verify it; what is found out is remembered."""
        refused: list[_Refusal] = []
        found: dict[str, Tables] = {}
        verification: Verification | None = None
        for file, provenance in ask_indexes(files, indexes, self._reporter):
            try:
                if provenance:
                    verification = verification or Verification(self._function.trusted_root)
                    found[file.filename] = _publishers_of(file, provenance, verification)
            except Unproven as error:
                reason = f"its attestation does not hold: {error}"
                hint = (
                    "do not use this file; `pip install --upgrade sigstore` if it is of a newer log"
                )
                refused.append(_Refusal(file, reason, hint))
                continue
            digest = hashlib.sha256(provenance).hexdigest() if provenance else ""
            document = {
                "publishers": found.get(file.filename, []),
                "provenance_sha256": digest,
            }
            self._store.write_document(_KIND, keys[file.filename], document)
        return refused, found

    def _held_against(self, file: LockedFile, tables: Tables) -> Iterable[_Refusal]:
        """Yield what is wrong with who attested `file`, or that nobody did."""
        named = self._wanted.get(file.name, ())
        if not tables:
            if self._demand(file) == "require":
                yield _Refusal(file, "it has no attestation", self._without_hint(file))
            return
        told = [publisher_of(each) for each in file.identities]
        expected = [parse_publisher(each) for each in named] or told
        publishers = [publisher_of(each) for each in tables]
        if expected and not any(one.fulfils(other) for one in publishers for other in expected):
            origin = "`publishers` names" if named else "the lock names"
            by = listed_publishers(publishers)
            reason = f"it was published by {by}, and {origin} {listed_publishers(expected)}"
            first = publishers[0]
            yield _Refusal(
                file, reason, f'if the project moved: publishers = {{ {file.name} = "{first}" }}'
            )

    def _without_hint(self, file: LockedFile) -> str:
        policies = {**dict(self._function.attestations), file.name: "verify"}
        rows = [f'"{name}" = "{word}"' for name, word in policies.items()]
        return f"to let it pass: attestations = {{ {', '.join(rows)} }}"

    def _tell(self, asked: Sequence[LockedFile]) -> None:
        without = [each.name for each in asked if each.sha256 not in self._proven]
        names = ", ".join(without[:_NAMED])
        more = f" and {len(without) - _NAMED} more" if len(without) > _NAMED else ""
        rest = f"; there is none of {names}{more}" if without else ""
        noun = "file" if len(asked) == 1 else "files"
        count = len(asked) - len(without)
        self._reporter.step(f"attestations of {count} of {len(asked)} {noun} verified{rest}")


def _keys(files: Iterable[LockedFile], root: str) -> dict[str, str]:
    """Return by file name where is kept what was proven with the trusted root of this digest."""
    return {
        each.filename: lasting_key_of(_KIND, 1, root, each.filename, each.sha256) for each in files
    }


def _publishers_of(file: LockedFile, provenance: bytes, verification: Verification) -> Tables:
    """Return who published `file`; raises Unproven when one of its attestations is not right."""
    publishing = publishing_types()
    tables = []
    for publisher, statement in verification.signed(provenance):
        try:
            kind = attested_as(statement, filename=file.filename, sha256=file.sha256)
        except ValueError as error:
            raise Unproven(str(error)) from error
        if kind in publishing:
            tables.append(publisher)
    if not tables:
        raise Unproven("none of its statements says who published it")
    return _distinct(tables)


def _distinct(tables: Iterable[dict[str, str]]) -> Tables:
    known = {tuple(sorted(each.items())): each for each in tables}
    return [known[key] for key in sorted(known)]


def _refused(refusals: Sequence[_Refusal]) -> WheelRefused:
    file, reason, hint = refusals[0]
    error = WheelRefused(file.filename, reason, hint=hint)
    error.details = tuple(f"{each.file.filename}: {each.reason}" for each in refusals[1:])
    return error


def _forbidden(files: Sequence[LockedFile]) -> CannotBuild:
    names = [each.filename for each in files]
    subject = f"of {len(names)} files are" if len(names) > 1 else f"of `{names[0]}` are"
    return CannotBuild(
        f"the attestations {subject} not in the store, and --offline forbids the network",
        hint="run once without --offline",
        details=names,
    )
