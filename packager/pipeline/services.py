"""Which cloud services an artifact's code names, and what leaving out the others would save."""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packager.errors import UsageError
from packager.slim.services import propose_services, service_drops

# Whose own code makes clients of services that nobody may ask for.
_LIBRARIES = {
    "botocore": "botocore",
    "boto3": "botocore",
    "s3transfer": "botocore",
    "google-api-python-client": "googleapiclient",
}


class ServiceProposal(NamedTuple):
    """Services to name in `services`; bytes are what the others' descriptions take.

    `uncertain` are calls whose service is not written there, so that something may be missing;
    `paths` are the others' files.
    """

    owner: str
    services: tuple[str, ...]
    compressed_bytes: int
    uncompressed_bytes: int
    uncertain: tuple[str, ...]
    paths: tuple[str, ...]


def propose(artifact: Path, manifest: Mapping[str, Any]) -> tuple[ServiceProposal, ...]:
    """Read the Python files in `artifact` and propose services; nothing is run or changed.

    What the AWS and Google libraries themselves name does not count. Empty when neither ships.
    """
    return propose_from(manifest, lambda own: _sources(artifact, own))


def propose_from(
    manifest: Mapping[str, Any], sources: Callable[[set[str]], Iterable[bytes]]
) -> tuple[ServiceProposal, ...]:
    """Propose as `propose` does; `sources` gives all Python code but that of the named files."""
    shipped = [each for each in manifest["distributions"] if not each["subtracted"]]
    owners = [each for each in shipped if each["name"] in _LIBRARIES]
    if not owners:
        return ()
    own = {row[0] for each in owners for row in each["files"]}
    found = propose_services(sources(own))
    proposals = []
    for library in sorted({_LIBRARIES[each["name"]] for each in owners}):
        wanted = found.services.get(library, ())
        rows = _left_over(owners, {library: wanted})
        if wanted and rows:
            proposals.append(
                ServiceProposal(
                    library,
                    wanted,
                    sum(row[2] for row in rows),
                    sum(row[1] for row in rows),
                    found.uncertain,
                    tuple(row[0] for row in rows),
                )
            )
    return tuple(proposals)


def service_rows(
    manifest: Mapping[str, Any], proposal: ServiceProposal
) -> list[tuple[Mapping[str, Any], set[str]]]:
    """Return each distribution that loses files to `proposal`, with their names."""
    found = []
    for each in manifest["distributions"]:
        if not each["subtracted"] and _LIBRARIES.get(each["name"]) == proposal.owner:
            names = [row[0] for row in each["files"]]
            services = {proposal.owner: proposal.services}
            found.append((each, set(service_drops(each["name"], names, services))))
    return found


def _sources(artifact: Path, without: set[str]) -> Iterator[bytes]:
    with zipfile.ZipFile(artifact) as archive:
        for name in archive.namelist():
            if name.endswith(".py") and name not in without:
                yield archive.read(name)


def _left_over(
    owners: list[Mapping[str, Any]], services: Mapping[str, tuple[str, ...]]
) -> list[list[Any]]:
    """Return the file rows of services outside `services`; none when a name is not known."""
    rows: list[list[Any]] = []
    for owner in owners:
        names = [row[0] for row in owner["files"]]
        try:
            gone = service_drops(owner["name"], names, services)
        except UsageError:
            return []
        rows.extend(row for row in owner["files"] if row[0] in gone)
    return rows
