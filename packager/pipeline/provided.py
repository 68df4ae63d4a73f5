"""What of an artifact the runtime has itself: the subtraction of a build, after the fact."""

from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from packager.inspect.codes import advise
from packager.inspect.consistency import title_of
from packager.inspect.edges import names_required
from packager.inspect.removal import Remover
from packager.model.advice import Advice
from packager.model.runtime_catalog import Subtraction
from packager.model.selection import Edge, Graph
from packager.pipeline.inspection import Inspection
from packager.runtime.catalog import load_catalog
from packager.runtime.subtraction import subtract

_PROJECT = "your code, in any version"


def provided_names(inspection: Inspection) -> frozenset[str]:
    """Return the names that the runtime has itself; an image brings its own."""
    if inspection.opened.found.kind == "image":
        return frozenset()
    return frozenset(load_catalog(inspection.target.runtime).packages)


def find_provided(inspection: Inspection, remover: Remover) -> Iterator[Advice]:
    """Yield what could be left out because every requirement in the artifact holds without it.

    What the project itself declared is not in an artifact: it counts as any version.
    """
    if inspection.opened.found.kind in {"image", "wheel"}:
        return
    decided = subtract(
        _graph(inspection),
        load_catalog(inspection.target.runtime),
        policies={},
        environment=inspection.target.marker_environment,
    )
    leaving = [
        each for each in inspection.ownership.distributions if each.name in decided.subtracted
    ]
    if not leaving:
        return
    files = [file for each in leaving for file in each.files]
    paths = tuple(file.path for file in files)
    names = ", ".join(title_of(each) for each in leaving)
    yield advise(
        "runtime-provides",
        f"{inspection.target.runtime} provides itself, in versions that suit: {names}",
        owner=leaving[0].name,
        hint=remover.command(paths) or "lpack build, which leaves them out",
        details=(*_doubts(inspection), *_reasons(decided)),
        paths=paths,
        compressed_bytes=sum(file.contribution_bytes for file in files),
        uncompressed_bytes=sum(file.uncompressed_bytes for file in files),
    )


def _graph(inspection: Inspection) -> Graph:
    """Return who requires whom, with the artifact's own metadata as the only witness."""
    versions: dict[NormalizedName, Version] = {}
    for each in inspection.ownership.distributions:
        try:
            versions.setdefault(canonicalize_name(each.name), Version(each.version))
        except InvalidVersion:
            # A guessed distribution without a version: nothing can be said of it.
            continue
    edges = [
        Edge(parent=canonicalize_name(each.name), requirement=requirement, origin=each.name)
        for each in inspection.ownership.distributions
        for requirement in names_required(each, inspection.target.marker_environment).values()
    ]
    required = {canonicalize_name(edge.requirement.name) for edge in edges}
    edges += [
        Edge(parent=None, requirement=Requirement(name), origin=_PROJECT)
        for name in versions
        if name not in required
    ]
    return Graph(versions=versions, edges=tuple(edges))


def _doubts(inspection: Inspection) -> Iterator[str]:
    """Say what is not known: without metadata, nobody states what is required."""
    silent = [each for each in inspection.ownership.distributions if each.evidence == "guess"]
    if silent:
        names = ", ".join(each.name for each in silent[:3])
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        yield f"not certain: what {names}{more} require is not in the artifact"


def _reasons(decided: Subtraction) -> Iterator[str]:
    for decision in decided.decisions:
        if decision.outcome == "subtracted":
            yield decision.reason
