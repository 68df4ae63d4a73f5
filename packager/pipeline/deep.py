"""What only reading everything shows: symbols in libraries, services that nobody names."""

from collections.abc import Iterator

from packager.inspect.codes import advise
from packager.model.advice import Advice
from packager.model.deflating import deflated
from packager.model.figures import many
from packager.pipeline.inspection import Inspection
from packager.pipeline.native import native_files
from packager.pipeline.services import propose_from
from packager.slim.transform import strip

_LARGEST_BYTES = 256 << 20
_LEVEL = 6
"""What zip and most other tools deflate with, so that the difference is that of the symbols."""


def find_deep(inspection: Inspection) -> Iterator[Advice]:
    """Yield what stripping and naming services would save."""
    yield from _symbols(inspection)
    yield from _services(inspection)


def _symbols(inspection: Inspection) -> Iterator[Advice]:
    """Strip every library as a build does; one at a time is in memory."""
    unzipped = zipped = 0
    names: list[str] = []
    for file, _ in native_files(inspection):
        if file.uncompressed_bytes > _LARGEST_BYTES:
            continue
        try:
            outcome = strip(inspection.opened.read(file))
        except OSError:
            continue
        if outcome is not None:
            unzipped += outcome.removed_bytes
            if file.compressed_bytes:
                smaller = len(deflated(outcome.data, _LEVEL))
                zipped += max(0, file.compressed_bytes - smaller)
            names.append(file.path)
    if names:
        yield advise(
            "symbols",
            f"{len(names):,} libraries hold symbols and debug sections that the loader never reads",
            path=names[0],
            hint="lpack build, which strips them and proves each result",
            details=tuple(names[:10]),
            cases=len(names),
            compressed_bytes=zipped,
            uncompressed_bytes=unzipped,
        )


def _services(inspection: Inspection) -> Iterator[Advice]:
    """Propose the services that the code names; in a layer the code is elsewhere."""
    if inspection.opened.found.kind not in {"zip", "folder"}:
        return
    for each in propose_from(inspection.manifest, lambda own: _sources(inspection, own)):
        listed = ", ".join(f'"{service}"' for service in each.services)
        yield advise(
            "unused-services",
            f"the code names {many(len(each.services), 'service')} of {each.owner}, and the "
            "descriptions of all are there",
            owner=each.owner,
            hint=f"services = {{ {each.owner} = [{listed}] }}",
            details=each.uncertain,
            paths=each.paths,
            compressed_bytes=each.compressed_bytes,
            uncompressed_bytes=each.uncompressed_bytes,
        )


def _sources(inspection: Inspection, without: set[str]) -> Iterator[bytes]:
    for file in inspection.opened.found.files:
        if file.path.endswith(".py") and file.path not in without:
            try:
                yield inspection.opened.read(file)
            except OSError:
                # Told as unreadable elsewhere.
                continue
