"""Builds the model's nouns from short descriptions, for tests of measure and report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from packager.model.artifact import Contents, ZipArtifact
from packager.model.canonical import END, EPOCH_STAMP, Record
from packager.model.payload import (
    Dependencies,
    Distribution,
    LimitFact,
    Payload,
    RequiredBy,
    SubtractionLine,
    TargetFacts,
)
from packager.model.project import Function

LIMITS = (
    LimitFact(
        name="zip_direct_upload",
        title="zip, direct upload",
        bytes=52_428_800,
        source="quotas",
        date="2025-11-25",
    ),
    LimitFact(
        name="unzipped",
        title="unzipped, with layers",
        bytes=262_144_000,
        source="quotas",
        date="2025-11-25",
    ),
)
TARGET = TargetFacts(
    runtime="python3.13",
    architecture="x86_64",
    kind="lambda",
    python="3.13",
    operating_system="Amazon Linux 2023 (minimal)",
    glibc="2.34",
    status="supported until 2029-06-30",
    limits=LIMITS,
)


def distribution(
    name: str,
    *,
    required_by: Sequence[str] = (),
    subtracted: bool = False,
    compressed_bytes: int = 100,
    uncompressed_bytes: int = 300,
) -> Distribution:
    """One distribution `name 1.0`; an empty name in `required_by` is the project."""
    return Distribution(
        name=name,
        version="1.0",
        wheel=f"{name}-1.0-py3-none-any.whl",
        wheel_sha256="0" * 64,
        payload=Payload(
            key=name,
            sha256="0" * 64,
            body_bytes=compressed_bytes - 50,
            file_bytes=compressed_bytes + END.size,
            entries=1,
            compressed_bytes=compressed_bytes,
            uncompressed_bytes=uncompressed_bytes,
        ),
        required_by=tuple(
            RequiredBy(
                parent=parent,
                requirement=f"{name}>=1",
                origin=f"{parent} 1.0" if parent else "requirements.txt:1",
            )
            for parent in required_by
        ),
        subtracted=subtracted,
    )


def dependencies(
    *distributions: Distribution,
    subtraction: Sequence[SubtractionLine] = (),
    conflicts: Sequence[str] = (),
    target: TargetFacts = TARGET,
) -> Dependencies:
    """All of a function's dependencies, ordered by name."""
    return Dependencies(
        target=target,
        distributions=tuple(sorted(distributions, key=lambda each: each.name)),
        subtraction=tuple(subtraction),
        conflicts=tuple(conflicts),
        catalog_date="2026-09-24",
        catalog_source="captured",
        resolver="uv 0.13.9",
    )


def graph(requires: Mapping[str, Sequence[str]], *, gone: Sequence[str] = ()) -> Dependencies:
    """Dependencies from who requires whom; the empty name is the project."""
    names = {name for wanted in requires.values() for name in wanted} | set(requires) - {""}
    return dependencies(
        *(
            distribution(
                name,
                required_by=[parent for parent, wanted in requires.items() if name in wanted],
                subtracted=name in gone,
            )
            for name in names
        )
    )


def contents(owner: str, compressed_bytes: int, uncompressed_bytes: int) -> Contents:
    """One file that makes `owner` so large; at least 90 compressed bytes for its headers."""
    name = f"{owner.partition(' ')[0] or 'your'}.py".encode()
    stream = compressed_bytes - 76 - 2 * len(name)
    assert stream >= 0
    return Contents(
        owner=owner,
        records=(Record(name, 8, 0, stream, uncompressed_bytes, False, 0),),
    )


def zip_of(*owned: Contents, path: str = "dist/api.zip") -> ZipArtifact:
    """A zip that holds `owned`; the last is the user's code."""
    return ZipArtifact(
        path=path,
        sha256="ab" * 32,
        compressed_bytes=sum(each.compressed_bytes for each in owned) + END.size,
        uncompressed_bytes=sum(each.uncompressed_bytes for each in owned),
        stamp=EPOCH_STAMP,
        contents=owned,
    )


def function(name: str = "api") -> Function:
    """A function with the least that is set."""
    return Function(
        name=name,
        root=Path("project"),
        handler="app.handler",
        runtime="python3.13",
        architecture="x86_64",
        kind="lambda",
        sources=(),
        requirements=("requirements.txt",),
    )
