"""What commands compare and check: lpack's manifests, and artifacts that others made."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packager.cli.manifests import manifests_in, read_manifest
from packager.errors import UsageError

SUFFIX = ".lpack.json"


class Subject(NamedTuple):
    """A manifest, the artifact it is of, and the artifact's name for people."""

    label: str
    artifact: Path
    manifest: Mapping[str, Any]


def read_subjects(path: Path) -> list[Subject]:
    """Return what `path` is: a manifest, an artifact with or without one, or a folder of them.

    Raises UsageError for what is neither, or is damaged.
    """
    found = find_manifests_of(path)
    return [_own(each) for each in found] if found else [_foreign(path)]


def find_manifests_of(path: Path) -> list[Path]:
    """Return lpack's manifests that `path` is, has beside it or holds; none for others' artifacts.

    Raises UsageError when it is not there.
    """
    if not path.exists():
        raise UsageError(f"there is no `{path}`", hint="lpack build")
    if path.name.endswith(SUFFIX) and path.is_file():
        return [path]
    inside = manifests_in(path)
    beside = path.with_name(path.stem + SUFFIX)
    return inside or ([beside] if beside.is_file() else [])


def read_built(folder: Path) -> list[Subject]:
    """Return what lpack built into `folder`; raises UsageError when that is nothing."""
    manifests = manifests_in(folder)
    if not manifests:
        raise UsageError(f"no manifest (NAME{SUFFIX}) in `{folder}`", hint="lpack build")
    return [_own(each) for each in manifests]


def manifests_by_name(subjects: Sequence[Subject]) -> dict[str, Mapping[str, Any]]:
    """Return the manifests by the names of their functions."""
    return {subject.manifest["function"]["name"]: subject.manifest for subject in subjects}


def not_a_manifest(*names: str) -> UsageError:
    """Word that what is called `names` has no, or no whole, manifest."""
    quoted = " or ".join(f"`{name}`" for name in names)
    return UsageError(f"{quoted} is not a whole manifest of lpack", hint="lpack build")


def _own(path: Path) -> Subject:
    manifest = read_manifest(path)
    try:
        artifact = path.with_name(manifest["artifact"]["path"])
        named = isinstance(manifest["function"]["name"], str)
    except (KeyError, TypeError, ValueError) as error:
        raise not_a_manifest(str(path)) from error
    if not named:
        raise not_a_manifest(str(path))
    return Subject(_shown(artifact), artifact, manifest)


def _foreign(path: Path) -> Subject:
    # Loaded here because a check of a manifest must not be slower for it.
    from packager.pipeline.inspection import inspect_artifact  # noqa: PLC0415

    return Subject(_shown(path), path, inspect_artifact(path))


def _shown(path: Path) -> str:
    shown = os.path.relpath(path)
    return str(path) if shown.startswith("..") else shown
