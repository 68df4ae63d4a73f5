"""Who published what is in an artifact, against its baseline. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from packager.gate.rules import found
from packager.model.attestation import listed_publishers
from packager.model.verdict import GateFinding


def publisher_findings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[GateFinding]:
    """Yield the distributions whose file changed, and who published it with it.

    A file that stayed the same was published by whoever did, also when nobody verified it this
    time. Another workflow of the same repository is the same publisher.
    """
    before = {each["name"]: each for each in old["distributions"]}
    for row in new["distributions"]:
        known = before.get(row["name"])
        if known is None or known.get("wheel_sha256") == row.get("wheel_sha256"):
            continue
        was, now = known.get("publishers") or [], row.get("publishers") or []
        if was and not _places(was) & _places(now):
            yield _finding(row, known["version"], was, now)


def _finding(row: Mapping[str, Any], version: str, was: list[str], now: list[str]) -> GateFinding:
    name, place = row["name"], was[0].partition("//")[0]
    nobody = "has no publisher that was verified"
    by = f"was published by {listed_publishers(now)}" if now else nobody
    return found(
        "publisher-changed",
        f"{name} {row['version']} {by}, and {version} was published by {listed_publishers(was)}",
        subject=name,
        hint=f'publishers = {{ {name} = "{place}" }} refuses what others publish',
    )


def _places(publishers: list[str]) -> set[str]:
    return {each.partition("//")[0].lower() for each in publishers}
