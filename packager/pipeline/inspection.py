"""What any artifact holds, as a manifest: the same keys, as far as they can be derived.

    open → owners → target → edges → retained bytes → limits

Everything that compares or explains artifacts reads this as it reads lpack's own manifests.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from packager import __version__
from packager.inspect.edges import edges_of
from packager.inspect.opening import open_artifact
from packager.inspect.owners import find_owners
from packager.inspect.target_signs import (
    Sign,
    guess_architecture,
    guess_runtime,
    image_architecture,
)
from packager.measure.limits import check_limits
from packager.measure.shares import retained
from packager.model.build import LimitCheck
from packager.model.found import Found, FoundFile, Opened
from packager.model.owned import OwnedDistribution, Ownership
from packager.model.payload import LimitFact, RequiredBy
from packager.model.target import Target
from packager.report.manifest import SCHEMA_VERSION
from packager.runtime.targets import default_runtime, load_quotas, load_target, runtime_names

_NOTHING_DECIDED: dict[str, Any] = {
    "catalog_date": "",
    "catalog_source": "",
    "decisions": [],
    "conflicts": [],
}


class Inspection(NamedTuple):
    """An open artifact with its owners, its target and its manifest."""

    opened: Opened
    ownership: Ownership
    target: Target
    manifest: dict[str, Any]


@contextmanager
def inspecting(
    path: Path, *, runtime: str | None = None, architecture: str | None = None
) -> Iterator[Inspection]:
    """Open the artifact at `path` and derive its manifest; its files can be read meanwhile.

    `runtime` and `architecture` decide where the artifact itself says nothing, or against it.
    Raises UsageError for what is no artifact, is damaged, or is made to mislead.
    """
    with open_artifact(path) as opened:
        ownership = find_owners(opened)
        target, guesses = _target(opened.found, ownership, runtime, architecture)
        manifest = _manifest(opened.found, ownership, target, guesses)
        yield Inspection(opened, ownership, target, manifest)


def inspect_artifact(
    path: Path, *, runtime: str | None = None, architecture: str | None = None
) -> dict[str, Any]:
    """Return the manifest of any artifact: a zip, layer, image, wheel or folder.

    It has every key of lpack's manifests and `"foreign": true`; `artifact.kind` may also be
    `layer`, `folder` or `wheel`, digests are null, and each distribution's `evidence` says how it
    was recognized. Raises UsageError as `inspecting` does.
    """
    with inspecting(path, runtime=runtime, architecture=architecture) as inspection:
        return inspection.manifest


def _target(
    found: Found, ownership: Ownership, runtime: str | None, architecture: str | None
) -> tuple[Target, list[dict[str, str]]]:
    """Return the target and from what it was guessed."""
    tags = [tag for each in ownership.distributions for tag in each.tags]
    paths = [file.path for file in found.files]
    signs = {
        "runtime": Sign(runtime, "") if runtime else guess_runtime(paths, tags),
        "architecture": Sign(architecture, "") if architecture else _machine(found, paths, tags),
    }
    if signs["runtime"].value not in runtime_names() and runtime is None:
        nothing = f"no runtime is {signs['runtime'].value}" if signs["runtime"].value else "nothing"
        signs["runtime"] = Sign(default_runtime(), f"{nothing} in the artifact tells another")
    if signs["architecture"].value is None:
        signs["architecture"] = Sign("x86_64", "nothing in the artifact tells another")
    target = load_target(str(signs["runtime"].value), str(signs["architecture"].value))
    guesses = [
        {"setting": setting, "value": str(sign.value), "because": sign.because}
        for setting, sign in signs.items()
        if sign.because
    ]
    return target, guesses


def _machine(found: Found, paths: list[str], tags: list[str]) -> Sign:
    if found.image is not None:
        word = image_architecture(found.image.architecture)
        if word is not None:
            return Sign(word, "the image's configuration says so")
    return guess_architecture(paths, tags)


def _manifest(
    found: Found, ownership: Ownership, target: Target, guesses: list[dict[str, str]]
) -> dict[str, Any]:
    edges = edges_of(ownership.distributions, target.marker_environment)
    limits = _limits(found, target)
    return {
        "schema_version": SCHEMA_VERSION,
        "lpack": __version__,
        "foreign": True,
        "function": {
            "name": found.name.removesuffix(".zip"),
            "handler": _handler(found),
            "upload": "direct",
            "requirements": [],
            "guesses": guesses,
        },
        "target": _facts(target),
        "artifact": _artifact(found),
        "layers": [],
        "offload": None,
        "image": _image(found),
        "limits": [
            {**check._asdict(), "headroom_bytes": check.headroom_bytes, "passed": check.passed}
            for check in limits
        ],
        "fits": all(check.passed for check in limits),
        "resolver": "",
        "distributions": _distributions(found, ownership.distributions, edges),
        "code": {
            **_sizes(ownership.code),
            **_retained(ownership.code),
            "files": _rows(ownership.code),
            "excluded": [],
        },
        "subtraction": dict(_NOTHING_DECIDED),
    }


def _handler(found: Found) -> str:
    """Return the handler that an image's command names; a zip does not say."""
    command = found.image.command if found.image is not None else ()
    return command[0] if len(command) == 1 else ""


def _facts(target: Target) -> dict[str, Any]:
    return {
        "runtime": target.runtime,
        "architecture": target.architecture,
        "kind": target.kind,
        "python": ".".join(map(str, target.python)),
        "operating_system": target.operating_system,
        "glibc": ".".join(map(str, target.glibc)),
        "status": target.status,
    }


def _artifact(found: Found) -> dict[str, Any]:
    base = found.image.base_uncompressed_bytes if found.image is not None else 0
    return {
        "kind": found.kind,
        "path": found.name,
        "entries": len(found.files),
        "compressed_bytes": found.compressed_bytes,
        "uncompressed_bytes": found.uncompressed_bytes + base,
        "overhead_bytes": found.overhead_bytes,
        "sha256": None,
        "code_sha256": None,
        "stamp": None,
        "encoders": [],
    }


def _image(found: Found) -> dict[str, Any] | None:
    image = found.image
    if image is None:
        return None
    return {
        "base": None,
        "manifest_sha256": image.manifest_sha256,
        "config_sha256": image.config_sha256,
        "architecture": image.architecture,
        "working_directory": image.working_directory,
        "command": list(image.command),
        "entry_point": list(image.entry_point),
        "base_entries": image.base_files,
        "base_uncompressed_bytes": image.base_uncompressed_bytes,
        "blobs": [
            {"digest": digest, "compressed_bytes": compressed}
            for digest, compressed in image.layers
        ],
    }


def _limits(found: Found, target: Target) -> tuple[LimitCheck, ...]:
    if found.image is not None:
        limit_bytes = load_quotas(target.kind)["image_bytes"]
        measured = found.uncompressed_bytes + found.image.base_uncompressed_bytes
        source = "Lambda Developer Guide, gettingstarted-limits"
        return (LimitCheck("image", "image, uncompressed", limit_bytes, measured, True, source),)
    facts = [LimitFact(*limit) for limit in target.limits]
    return check_limits(
        [fact for fact in facts if found.compressed_bytes or fact.name == "unzipped"],
        compressed_bytes=found.compressed_bytes,
        uncompressed_bytes=found.uncompressed_bytes,
        upload="direct",
    )


def _distributions(
    found: Found, owned: tuple[OwnedDistribution, ...], edges: Mapping[str, list[RequiredBy]]
) -> list[dict[str, Any]]:
    placement = "image" if found.kind == "image" else "zip"
    requires: dict[str, list[str]] = {each.name: [] for each in owned}
    for name, incoming in edges.items():
        for edge in incoming:
            if edge.parent:
                requires[edge.parent].append(name)
    roots = [name for name, incoming in edges.items() if any(not e.parent for e in incoming)]
    by_name: dict[str, list[FoundFile]] = {}
    for each in owned:
        by_name.setdefault(each.name, []).extend(each.files)
    leaving = {name: retained(name, roots, requires) or {name} for name in by_name}
    return [
        {
            "name": each.name,
            "version": each.version,
            "wheel": None,
            "wheel_sha256": None,
            "subtracted": False,
            "placement": placement,
            "evidence": each.evidence,
            "root": each.root,
            **_sizes(each.files),
            **_retained(file for name in leaving[each.name] for file in by_name[name]),
            "required_by": [edge._asdict() for edge in edges[each.name]],
            "findings": [],
            "dropped": [],
            "stripped": [],
            "files": _rows(each.files),
        }
        for each in owned
    ]


def _sizes(files: tuple[FoundFile, ...]) -> dict[str, int]:
    return {
        "entries": len(files),
        "compressed_bytes": sum(file.contribution_bytes for file in files),
        "uncompressed_bytes": sum(file.uncompressed_bytes for file in files),
    }


def _retained(files: Iterable[FoundFile]) -> dict[str, int]:
    held = list(files)
    return {
        "retained_compressed_bytes": sum(file.contribution_bytes for file in held),
        "retained_uncompressed_bytes": sum(file.uncompressed_bytes for file in held),
    }


def _rows(files: Iterable[FoundFile]) -> list[list[Any]]:
    """Rows of [path, uncompressed bytes, compressed bytes, crc32 or null, mode or null]."""
    return [
        [
            file.path,
            file.uncompressed_bytes,
            file.compressed_bytes,
            file.crc32,
            file.mode & 0o777 if file.mode else None,
        ]
        for file in files
    ]
