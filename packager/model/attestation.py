"""Who published a file, and what is demanded of it: attestations as PEP 740 has them. Pure.

A publisher is written `KIND:PLACE`, or `KIND:PLACE//WORKFLOW`. In locks and provenance it is a
table (PEP 751, `attestation-identities`; PEP 740, `publisher`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Demand = Literal["off", "verify", "require"]

_TEXT = re.compile(r"([a-z]+):([^\s/][^\s]*?)(?://([^\s]+))?")
_PLACES = {
    "github": re.compile(r"[^/@]+/[^/@]+"),
    "gitlab": re.compile(r"[^/@]+(?:/[^/@]+)+"),
    "google": re.compile(r"[^/@]+@[^/@]+"),
    "circleci": re.compile(r"[^/@]+"),
}
# The keys of PyPI's Trusted Publishers, as its documentation of attestations lists them.
_KEYS = {
    "github": ("repository", "workflow"),
    "gitlab": ("repository", "workflow_filepath"),
    "google": ("email", ""),
    "circleci": ("project_id", "pipeline_definition_id"),
}
_SAME_IN_ANY_CASE = frozenset({"github", "gitlab"})


class Publisher(NamedTuple):
    """Who may publish: an account, or a repository and the workflow in it (empty: any)."""

    kind: str
    place: str
    workflow: str = ""

    def __str__(self) -> str:
        """Write it as settings do."""
        return f"{self.kind}:{self.place}" + (f"//{self.workflow}" if self.workflow else "")

    def fulfils(self, wanted: "Publisher") -> bool:
        """Tell whether this is `wanted`; repositories are the same in upper and lower case."""
        mine, other = self.place, wanted.place
        if self.kind in _SAME_IN_ANY_CASE:
            mine, other = mine.lower(), other.lower()
        same = (self.kind, mine) == (wanted.kind, other)
        return same and wanted.workflow in {"", self.workflow}


class LockedFile(NamedTuple):
    """A file that a lock chooses, and where something can be learned about it.

    `sha256` is lower-case hex. `indexes` are the URLs of the simple indexes to ask, in order, with
    their credentials. `identities` are the publishers that the lock tells, as its tables.
    """

    name: str
    filename: str
    sha256: str
    indexes: tuple[str, ...] = ()
    identities: tuple[Mapping[str, Any], ...] = ()


def parse_publisher(text: str) -> Publisher:
    """Read a publisher as settings write it; raises ValueError for what is none."""
    found = _TEXT.fullmatch(text)
    if found is None or found[1] not in _KEYS:
        raise ValueError("it does not begin with one of " + ", ".join(f"{kind}:" for kind in _KEYS))
    publisher = Publisher(found[1], found[2], found[3] or "")
    if not _PLACES[publisher.kind].fullmatch(publisher.place):
        raise ValueError(f"`{publisher.place}` names nobody there")
    if publisher.workflow and not _KEYS[publisher.kind][1]:
        raise ValueError("accounts have no workflow")
    return publisher


def publisher_of(table: Mapping[str, Any]) -> Publisher:
    """Read a publisher out of a lock or of provenance.

    One of a kind that is not known has no place, and is nobody that settings can name.
    """
    kind = str(table.get("kind", "")).lower()
    place, workflow = _KEYS.get(kind, ("", ""))
    return Publisher(kind, str(table.get(place) or ""), str(table.get(workflow) or ""))


def listed_publishers(publishers: Iterable[Publisher | str]) -> str:
    """Name publishers in a sentence, as settings write them."""
    return " and ".join(f"`{each}`" for each in publishers)


def demand_on(
    name: str, policies: Sequence[tuple[str, str]], publishers: Mapping[str, Sequence[str]]
) -> Demand:
    """Return what is demanded of the files of `name`, which is normalized.

    A policy of its own goes before a publisher that is named for it, who has to have attested
    it, and that before the policy of all, `*`.
    """
    said = dict(policies)
    word = said.get(name) or ("require" if name in publishers else said.get("*", "off"))
    return word if word in {"verify", "require"} else "off"  # type: ignore[return-value]
