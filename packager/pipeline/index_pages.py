"""What the indexes have of locked files: the provenance of each, and the status of its project.

locked files → pages of their projects → provenance
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from packager.errors import CannotBuild
from packager.inputs.index_page import ACCEPT, Page, ProjectStatus, read_page
from packager.model.attestation import LockedFile
from packager.model.progress import Reporter
from packager.model.redaction import redact_url
from packager.model.requirement import IndexSettings
from packager.wheels.small_documents import DocumentReader, each_at_once

_LARGEST_PAGE_BYTES: Final = 64 << 20
_LARGEST_PROVENANCE_BYTES: Final = 4 << 20
_JSON: Final = "application/vnd.pypi.integrity.v1+json, application/json;q=0.9"

# What a project in this status means for whoever ships it (PEP 792).
_WARNED: Final = {
    "archived": "no updates of it are expected",
    "deprecated": "it is obsolete, and another project may have taken its place",
}


class _Answer(NamedTuple):
    """What was found; `provenance` is empty where there is none."""

    provenance: bytes
    status: ProjectStatus


def ask_indexes(
    files: Sequence[LockedFile], indexes: IndexSettings, reporter: Reporter
) -> list[tuple[LockedFile, bytes]]:
    """Return the provenance of each file as the index has it, empty where it has none.

    Warns of projects that are archived or deprecated. Raises CannotBuild when an index does not
    answer as it should, or has put a project into quarantine.
    """
    if not any(each.indexes for each in files):
        return [(each, b"") for each in files]
    reader = DocumentReader(indexes)
    try:
        found = each_at_once(
            lambda each: _ask(each, reader),
            files,
            # A page of every index, and the provenance.
            patience_seconds=reader.patience_seconds * (1 + max(len(f.indexes) for f in files)),
        )
    finally:
        reader.close()
    _judge({file.name: each.status for file, each in zip(files, found, strict=True)}, reporter)
    return [(file, each.provenance) for file, each in zip(files, found, strict=True)]


def _ask(file: LockedFile, reader: DocumentReader) -> _Answer:
    """Ask one index after the other for `file`; the one that lists it tells the status.

    One in quarantine is listed nowhere: that counts when no other index has the file.
    """
    status = ProjectStatus()
    for index in file.indexes:
        page = _page(file, index, reader)
        if page is not None and page.listed:
            return _Answer(_read_provenance(file, page.listed.provenance, reader), page.status)
        if page is not None and page.status.word == "quarantined":
            status = page.status
    return _Answer(b"", status)


def _page(file: LockedFile, index: str, reader: DocumentReader) -> Page | None:
    page = reader.read(
        f"{index.rstrip('/')}/{file.name}/",
        title=f"the page of {file.name}",
        accept=ACCEPT,
        largest_bytes=_LARGEST_PAGE_BYTES,
    )
    if page is None:
        return None
    return read_page(
        page.body,
        page.content_type,
        filename=file.filename,
        sha256=file.sha256,
        url=page.url,
        shown=redact_url(page.url),
    )


def _read_provenance(file: LockedFile, url: str, reader: DocumentReader) -> bytes:
    if not url:
        return b""
    title = f"the provenance of {file.filename}"
    found = reader.read(url, title=title, accept=_JSON, largest_bytes=_LARGEST_PROVENANCE_BYTES)
    if found is None:
        raise CannotBuild(
            f"the index lists a provenance of `{file.filename}` and does not have it",
            hint="try again later, or ask whoever runs this index",
        )
    return found.body


def _judge(statuses: dict[str, ProjectStatus], reporter: Reporter) -> None:
    """Warn of what is no longer maintained; raise CannotBuild for what is in quarantine."""
    locked_up = []
    for name, (word, reason) in sorted(statuses.items()):
        why = f" ({reason})" if reason else ""
        if word == "quarantined":
            locked_up.append(f"the index has put `{name}` into quarantine{why}")
        elif word in _WARNED:
            reporter.warn(f"{name} is {word} on the index: {_WARNED[word]}{why}")
    if locked_up:
        raise CannotBuild(
            locked_up[0],
            details=locked_up[1:],
            hint="do without it, and lock again: the index holds it to be unsafe, such as malware",
        )
