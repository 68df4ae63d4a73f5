"""Payloads: what a wheel ships, ready to be spliced; and the dependencies made of them.

These nouns hold plain text and numbers, so that a rebuild after a change of the user's code
needs neither the `packaging` library nor any wheel's METADATA. They are named tuples, as all
nouns on that way: defining a frozen dataclass costs six times as much at every start.
"""

from typing import Any, NamedTuple, Self

from packager.model.layer import ForeignLayer, Provided
from packager.model.offload import Offloaded
from packager.model.prune import Dropped


class Payload(NamedTuple):
    """A canonical zip in the store that holds exactly what one wheel ships.

    `key` is its place in the store, `sha256` the digest of the whole file. `body_bytes` is the
    length of its local headers and streams: the part that is copied into artifacts.
    `compressed_bytes` is everything it adds to an artifact, both headers included;
    `uncompressed_bytes` is the sum of its files. `dropped` are the wheel's files that do not
    ship, `stripped` the libraries that lost symbols, with how many bytes.
    """

    key: str
    sha256: str
    body_bytes: int
    file_bytes: int
    entries: int
    compressed_bytes: int
    uncompressed_bytes: int
    dropped: tuple[Dropped, ...] = ()
    stripped: tuple[tuple[str, int], ...] = ()


class RequiredBy(NamedTuple):
    """Who asked for a distribution: `parent` is empty for the project itself."""

    parent: str
    requirement: str
    origin: str


class Distribution(NamedTuple):
    """One selected distribution, shipped or subtracted, with its payload and its edges.

    `bytecode` is a payload of its own that ships beside the first one. Of an `offloaded` one, the
    payload has the metadata only, and the archive when that is in the zip. `layer` names the
    layer that has it; when it is `subtracted` as well, that layer was built elsewhere.
    `source` is the URL its wheel came from, without credentials; empty for files that were here.
    `publishers` are those who provably published its wheel, or the source that was built.
    """

    name: str
    version: str
    wheel: str
    wheel_sha256: str
    payload: Payload
    required_by: tuple[RequiredBy, ...]
    subtracted: bool
    findings: tuple[str, ...] = ()
    bytecode: Payload | None = None
    offloaded: Offloaded | None = None
    layer: str = ""
    source: str = ""
    publishers: tuple[str, ...] = ()

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """What ships of it, in order."""
        return (self.payload,) if self.bytecode is None else (self.payload, self.bytecode)


class SubtractionLine(NamedTuple):
    """One decision of the subtraction, worded; bytes are what leaves or would leave the zip.

    `layer` names the layer that has the distribution instead of the runtime, or is empty.
    """

    name: str
    version: str
    runtime_version: str | None
    outcome: str
    code: str
    reason: str
    blocked_by: str | None
    loosen: str | None
    loosen_compressed_bytes: int
    loosen_uncompressed_bytes: int
    layer: str = ""


class LimitFact(NamedTuple):
    """A quota of AWS in plain figures: `bytes` is exclusive."""

    name: str
    title: str
    bytes: int
    source: str
    date: str


class TargetFacts(NamedTuple):
    """The target in plain text, as manifests hold it."""

    runtime: str
    architecture: str
    kind: str
    python: str
    operating_system: str
    glibc: str
    status: str
    limits: tuple[LimitFact, ...]


class Dependencies(NamedTuple):
    """Everything known of a function's dependencies for one target.

    `distributions` are ordered by name and include the subtracted ones. `resolver` is who made
    the lock, `makers` whose versions decide bytes beside the encoders: bytecode, archives.
    `conflicts` are sentences about bundled distributions that shadow what the runtime's own
    packages need. `layers` are those built elsewhere, in their order. `lock_sha256` is the digest
    of the lock as `lpack build --lock` writes it.
    """

    target: TargetFacts
    distributions: tuple[Distribution, ...]
    subtraction: tuple[SubtractionLine, ...]
    conflicts: tuple[str, ...]
    catalog_date: str
    catalog_source: str
    resolver: str
    makers: tuple[str, ...] = ()
    layers: tuple[ForeignLayer, ...] = ()
    lock_sha256: str = ""

    @property
    def shipped(self) -> tuple[Distribution, ...]:
        """The distributions that go into the artifact, ordered by name."""
        return tuple(d for d in self.distributions if not d.subtracted)

    def to_document(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        document: dict[str, Any] = json_ready(self)
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Rebuild from `to_document`; raises KeyError or TypeError for a foreign document."""
        target = dict(document["target"])
        target["limits"] = tuple(LimitFact(**limit) for limit in target["limits"])
        return cls(
            target=TargetFacts(**target),
            distributions=tuple(_distribution(entry) for entry in document["distributions"]),
            subtraction=tuple(SubtractionLine(**line) for line in document["subtraction"]),
            conflicts=tuple(document["conflicts"]),
            catalog_date=document["catalog_date"],
            catalog_source=document["catalog_source"],
            resolver=document["resolver"],
            makers=tuple(document["makers"]),
            layers=tuple(_layer(entry) for entry in document["layers"]),
            lock_sha256=document["lock_sha256"],
        )


def json_ready(value: Any) -> Any:  # noqa: ANN401 -- whatever the nouns hold
    """Turn nouns into JSON-ready values: named tuples into objects, tuples into lists.

    Dropped files stay rows, because there are thousands of them.
    """
    if isinstance(value, Dropped):
        return list(value)
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        if fields is None:
            return [json_ready(each) for each in value]
        return {name: json_ready(each) for name, each in zip(fields, value, strict=True)}
    return value


def payload_from_document(document: dict[str, Any]) -> Payload:
    """Rebuild a payload from JSON; raises TypeError for a foreign document."""
    values = dict(document)
    values["dropped"] = tuple(Dropped(*each) for each in values["dropped"])
    values["stripped"] = tuple((path, removed) for path, removed in values["stripped"])
    return Payload(**values)


def offloaded_from_document(document: dict[str, Any]) -> Offloaded:
    """Rebuild an archive's facts from JSON; raises TypeError for a foreign document."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    return Offloaded(**values)


def _distribution(document: dict[str, Any]) -> Distribution:
    values = dict(document)
    values["payload"] = payload_from_document(values["payload"])
    values["required_by"] = tuple(RequiredBy(**edge) for edge in values["required_by"])
    values["findings"] = tuple(values["findings"])
    values["publishers"] = tuple(values["publishers"])
    if values["bytecode"] is not None:
        values["bytecode"] = payload_from_document(values["bytecode"])
    if values["offloaded"] is not None:
        values["offloaded"] = offloaded_from_document(values["offloaded"])
    return Distribution(**values)


def _layer(document: dict[str, Any]) -> ForeignLayer:
    provided = tuple(
        Provided(each["name"], each["version"], tuple(each["requires"]))
        for each in document["distributions"]
    )
    return ForeignLayer(**{**document, "distributions": provided})
