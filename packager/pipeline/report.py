"""Everything that can be said of an artifact: what is in it, what is wrong, what could leave.

inspect → trims, subtraction, native files, duplicates, consistency → document
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packager.inputs.secret_scan import name_of_secret
from packager.inspect.codes import BY_NAME, advise
from packager.inspect.consistency import check_consistency, container_oddities
from packager.inspect.duplicates import find_duplicates
from packager.inspect.removal import Remover
from packager.model.advice import Advice
from packager.pipeline.inspection import Inspection, inspecting
from packager.pipeline.native import find_native, owners_by_path
from packager.pipeline.provided import find_provided, provided_names
from packager.pipeline.report_trims import find_trims
from packager.report.artifact_document import artifact_document

_LEVELS = ("error", "warning", "note")
_ARCHIVES = (".egg", ".tar.gz", ".whl", ".zip")
_COPIES = "LP505"
"""Copies may be needed where they are: what they take is told, and not promised."""


class ReportOptions(NamedTuple):
    """How to look at an artifact; `deep` reads every library and all code, which takes longer."""

    runtime: str | None = None
    architecture: str | None = None
    deep: bool = False


def report_artifact(
    path: Path,
    *,
    options: ReportOptions,
    manifest: Mapping[str, Any] | None = None,
    baseline: Mapping[str, Any] | None = None,
    times: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the report of the artifact at `path` as JSON-ready values.

    `manifest` is lpack's own when it built the artifact: what it knows wins over what is derived.
    `baseline` is the manifest of an earlier build, `times` what importing took.
    Raises UsageError for what is no artifact, is damaged, or is made to mislead.
    """
    runtime, architecture = options.runtime, options.architecture
    if manifest is not None:
        runtime = runtime or manifest["target"]["runtime"]
        architecture = architecture or manifest["target"]["architecture"]
    with inspecting(path, runtime=runtime, architecture=architecture) as inspection:
        found = [
            *_advice(inspection, str(path), deep=options.deep, own=manifest is not None),
            *(_loosened(manifest) if manifest is not None else ()),
        ]
        advice = sorted(
            found,
            key=lambda each: (_LEVELS.index(each.level), each.code, -each.uncompressed_bytes),
        )
        return artifact_document(
            manifest if manifest is not None else inspection.manifest,
            advice,
            could_save=_could_save(inspection, advice),
            baseline=baseline,
            times=times,
        )


def _could_save(inspection: Inspection, advice: Sequence[Advice]) -> dict[str, int]:
    """Sum up what could leave; a file that several findings name counts once."""
    counted = [each for each in advice if each.code.startswith("LP5") and each.code != _COPIES]
    wanted = {path for each in counted for path in each.paths}
    files = [file for file in inspection.opened.found.files if file.path in wanted]
    # Symbols are parts of files that stay.
    parts = [each for each in counted if not each.paths]
    return {
        "files": len(files),
        "compressed_bytes": sum(file.contribution_bytes for file in files)
        + sum(each.compressed_bytes for each in parts),
        "uncompressed_bytes": sum(file.uncompressed_bytes for file in files)
        + sum(each.uncompressed_bytes for each in parts),
    }


def _advice(inspection: Inspection, shown_path: str, *, deep: bool, own: bool) -> Iterator[Advice]:
    found, distributions = inspection.opened.found, inspection.ownership.distributions
    remover = Remover(found, shown_path)
    environment = inspection.target.marker_environment
    yield from find_trims(inspection, remover)
    if not own:
        yield from find_provided(inspection, remover)
    yield from find_native(inspection, deep=deep)
    if deep:
        # Loaded here because stripping costs its import, and only --deep strips.
        from packager.pipeline.deep import find_deep  # noqa: PLC0415

        yield from find_deep(inspection)
    yield from find_duplicates(found.files, owners_by_path(inspection))
    if not own:
        # Of its own artifacts lpack has proven the closure, and archives hold what is offloaded.
        provided = provided_names(inspection)
        yield from check_consistency(distributions, environment, provided=provided)
    yield from container_oddities(found)
    yield from _own_files(inspection, own=own)


def _loosened(manifest: Mapping[str, Any]) -> Iterator[Advice]:
    """Yield what other requirements would let the runtime provide; a group is told once."""
    kept = [each for each in manifest["subtraction"]["decisions"] if each["outcome"] == "kept"]
    followers = {each["name"] for each in kept if not each["loosen"]}
    ways: dict[str, list[Mapping[str, Any]]] = {}
    for decision in kept:
        if decision["loosen"]:
            ways.setdefault(decision["loosen"], []).append(decision)
    for loosen, group in sorted(ways.items()):
        names = followers | {decision["name"] for decision in group}
        leaving = [each for each in manifest["distributions"] if each["name"] in names]
        unzipped = group[0]["loosen_uncompressed_bytes"]
        # Where they are all that leaves, the files are known, and none counts twice.
        known = sum(each["uncompressed_bytes"] for each in leaving) == unzipped
        yield advise(
            "runtime-provides",
            group[0]["reason"],
            owner=group[0]["name"],
            hint=f"ask for `{loosen}` instead",
            paths=tuple(row[0] for each in leaving for row in each["files"]) if known else (),
            compressed_bytes=group[0]["loosen_compressed_bytes"],
            uncompressed_bytes=unzipped,
        )


def _own_files(inspection: Inspection, *, own: bool) -> Iterator[Advice]:
    """Yield your own files with the names of secrets, and archives that nobody looks into.

    Certificates of libraries are no secrets; archives in lpack's own zips are its own.
    """
    for file in inspection.ownership.code:
        if file.path.endswith(_ARCHIVES) and not own:
            told = f"`{file.path}` is an archive in the artifact: what is in it is not told here"
            hint = BY_NAME["nested-archive"].advice
            yield advise("nested-archive", told, path=file.path, hint=hint)
        if name_of_secret(file.path.rpartition("/")[2]):
            told = f"`{file.path}` has the name of a secret"
            hint = BY_NAME["looks-like-secret"].advice
            yield advise("looks-like-secret", told, path=file.path, hint=hint)
