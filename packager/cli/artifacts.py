"""Find what commands about any artifact are asked about: lpack's own, or other people's."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packager.cli.manifests import find_manifests, read_manifest
from packager.errors import UsageError

_SUFFIX = ".lpack.json"


class Subject(NamedTuple):
    """An artifact, and lpack's manifest of it where there is one beside it."""

    path: Path
    manifest: Mapping[str, Any] | None


def find_subjects(given: tuple[Path, ...]) -> Iterator[Subject]:
    """Yield every artifact that `given` names; everything in dist without any.

    A folder with manifests stands for their artifacts, any other one is an artifact itself.
    Raises UsageError for what is not there.
    """
    for path in given or (None,):
        if path is not None and not path.exists():
            raise UsageError(f"there is no `{path}`", hint="lpack build")
        if path is not None and not _has_manifests(path):
            yield Subject(path, None)
            continue
        for manifest_path in find_manifests(path):
            manifest = read_manifest(manifest_path)
            artifact = manifest_path.with_name(str(manifest["artifact"]["path"]))
            if not artifact.exists():
                raise UsageError(f"`{artifact}` is not there", hint="lpack build")
            yield Subject(artifact, manifest)


def read_any_manifest(path: Path) -> Mapping[str, Any]:
    """Return the manifest at or beside `path`, or what can be derived of the artifact itself.

    Raises UsageError when `path` is neither.
    """
    if path.name.endswith(".json"):
        return read_manifest(path)
    subject = next(find_subjects((path,)))
    if subject.manifest is not None:
        return subject.manifest
    # Loaded here because manifests, the usual baselines, need no reader of zips.
    from packager.pipeline_inspection import inspect_artifact  # noqa: PLC0415

    return inspect_artifact(subject.path)


def _has_manifests(path: Path) -> bool:
    """Tell whether lpack's manifests are what `path` is, has beside it, or holds."""
    if path.is_dir():
        beside = path.with_name(path.name + _SUFFIX)
        return any(path.glob(f"*{_SUFFIX}")) or beside.is_file()
    return path.name.endswith(_SUFFIX) or path.with_name(path.stem + _SUFFIX).is_file()
