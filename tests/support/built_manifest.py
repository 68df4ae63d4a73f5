"""A real zip with its manifest, without resolving anything."""

from pathlib import Path
from typing import Any

from support.assembling import code_files, payload_with, written
from support.dependencies import dependencies, distribution, function

from packager.measure.measurement import measure
from packager.model.build import Build
from packager.model.canonical import EPOCH_STAMP
from packager.report.manifest import manifest_of

CODE = {"app.py": b"import one\n" * 9, "data/empty": b"", "größe/run": b"#!/bin/sh\n"}


def zip_and_manifest(folder: Path, *, stamp: int = EPOCH_STAMP) -> tuple[Path, dict[str, Any]]:
    """Write `api.zip` of two distributions and some code below `folder`."""
    payloads = [
        payload_with(folder, "one", {"ns/__init__.py": b"", "ns/one.py": b"A = 1\n" * 60}),
        payload_with(folder, "two", {"ns/__init__.py": b"", "ns/two": bytes(range(256))}),
    ]
    code = code_files(folder / "src", CODE, executables={"größe/run"})
    artifact = written(folder / "api.zip", payloads, code, stamp=stamp)
    known = dependencies(
        distribution("one", required_by=[""]),
        distribution("two", required_by=["one"]),
        distribution("gone", required_by=["one"], subtracted=True),
    )
    build = Build(
        function=function(),
        dependencies=known,
        artifact=artifact,
        measurement=measure(known, artifact, upload="direct"),
        excluded=(),
        encoders=("libdeflate",),
    )
    return Path(artifact.path), manifest_of(build)
