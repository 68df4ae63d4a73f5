"""What of a build its next one repeats when only the user's code changed: the payloads' part.

One document in the store and one file beside it, under a key of everything they stand on. A
damaged or lost one costs a whole assembly, never a wrong byte: what is copied after it is hashed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from packager.assemble.open_payload import PayloadSource
from packager.code_identity import code_identity
from packager.model.payload import Dependencies
from packager.model.prefix import Prefix
from packager.model.project import Function
from packager.pipeline.ahead import KIND
from packager.pipeline.memory import key_of, settings_of
from packager.wheels.store import Store


class Repeated(NamedTuple):
    """The payloads' part of an artifact, and its distributions as the manifest tells them."""

    prefix: Prefix
    distributions: str


class PrefixMemory:
    """Remembers the payloads' part for one function and exactly these payloads."""

    def __init__(
        self,
        store: Store,
        function: Function,
        dependencies: Dependencies,
        payloads: Sequence[PayloadSource],
        *,
        layers: Sequence[str] = (),
    ) -> None:
        """Look at nothing yet; `layers` are the digests of the function's layers."""
        self._store = store
        facts = facts_of(dependencies, payloads)
        self._payloads = [each.key for each in payloads]
        self.key = key_of("prefix", code_identity(), settings_of(function), *facts, layers)

    def recall(self) -> Repeated | None:
        """Return what is remembered, if all of it is there and as it was written."""
        found = read_content(self._store, KIND, self.key)
        if found is None:
            return None
        document, content = found
        first, second = document["ends"]
        return Repeated(
            Prefix.from_document(
                document["prefix"], directory=content[:first], names=content[first:second]
            ),
            content[second:].decode(),
        )

    def remember(self, repeated: Repeated) -> None:
        """Keep it for the next build; raises CannotBuild when the disk does not take it."""
        prefix = repeated.prefix
        content = prefix.directory + prefix.names + repeated.distributions.encode()
        first = len(prefix.directory)
        document = {
            "ends": [first, first + len(prefix.names)],
            "prefix": prefix.to_document(),
            "payloads": self._payloads,
        }
        write_content(self._store, KIND, self.key, content, document)

    def forget(self) -> None:
        """Drop what turned out not to hold."""
        self._store.discard(KIND, self.key, ".json")


def facts_of(dependencies: Dependencies, payloads: Sequence[PayloadSource]) -> list[Any]:
    """Return what decides the bytes of all payloads and what a manifest tells of them, for keys."""
    rows = [
        [each._replace(payload=each.payload.key, bytecode=None)]  # type: ignore[arg-type]  # the key stands for all of it
        for each in dependencies.distributions
    ]
    return [rows, [[each.owner, each.key, each.sha256] for each in payloads]]


def read_content(store: Store, kind: str, key: str) -> tuple[dict[str, Any], bytes] | None:
    """Return what `write_content` kept, None when not all of it is there as it was written."""
    document = store.read_document(kind, key)
    if document is None:
        return None
    try:
        content = store.file(kind, key, ".bin").read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest() != document["content"]:
        return None
    return document, content


def write_content(
    store: Store, kind: str, key: str, content: bytes, document: Mapping[str, Any]
) -> None:
    """Keep `content` beside a document that tells its digest; raises CannotBuild."""
    with store.writing(kind, key, ".bin", durable=False) as temporary:
        temporary.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    store.write_document(kind, key, {"content": digest, **document})
