"""Real payloads and real user files for tests of assembly, and zips made of them."""

import hashlib
import itertools
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from support.wheel_builder import build_wheel, describe

from packager.assemble.open_payload import PayloadSource
from packager.assemble.zip_writer import write_zip
from packager.model.artifact import ZipArtifact
from packager.model.canonical import EPOCH_STAMP, Record
from packager.model.payload import Payload
from packager.model.project import SourceFile
from packager.model.wheel import AdmittedWheel
from packager.slim.payload import write_payload
from packager.wheels.admission import admit

_numbers = itertools.count()


def admitted(path: Path) -> AdmittedWheel:
    """Admit the wheel at `path`."""
    return admit(path, sha256=describe(path).sha256, filename=path.name)


def payload_file(wheel: Path) -> tuple[Path, Payload]:
    """Write the payload of `wheel` beside it."""
    destination = wheel.with_name(f"{wheel.name}-{next(_numbers)}.zip")
    return destination, write_payload(wheel, admitted(wheel), destination, key=wheel.stem)


def payload_source(wheel: Path, owner: str) -> PayloadSource:
    """Write the payload of `wheel` and say what assembly needs to know of it."""
    path, payload = payload_file(wheel)
    return PayloadSource(
        owner=owner,
        key=payload.key,
        path=path,
        sha256=payload.sha256,
        body_bytes=payload.body_bytes,
        file_bytes=payload.file_bytes,
        entries=payload.entries,
    )


def payload_with(
    folder: Path, name: str, files: Mapping[str, bytes], *, executables: Collection[str] = ()
) -> PayloadSource:
    """Build the wheel `name 1.0` with `files` and write its payload."""
    wheel = build_wheel(folder, name, "1.0", files=files, executables=executables)
    return payload_source(wheel, f"{name} 1.0")


def code_files(
    folder: Path, files: Mapping[str, bytes], *, executables: Collection[str] = ()
) -> list[SourceFile]:
    """Write `files` below `folder` and describe them as the walk over a project does."""
    found = []
    for name, data in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        found.append(code_file(path, name, executable=name in executables))
    return found


def code_file(path: Path, archive_name: str, *, executable: bool = False) -> SourceFile:
    """Describe the file at `path` as it is now."""
    status = os.stat(path)  # noqa: PTH116 -- the same call as the product's
    identity = (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )
    return SourceFile(archive_name, str(path), executable, identity)


def written(
    destination: Path,
    payloads: Sequence[PayloadSource],
    code: Sequence[SourceFile] = (),
    *,
    stamp: int = EPOCH_STAMP,
) -> ZipArtifact:
    """Write a zip and hold its digest against the bytes on disk."""
    artifact = write_zip(destination, payloads, code, stamp=stamp)
    data = destination.read_bytes()
    assert artifact.sha256 == hashlib.sha256(data).hexdigest()
    assert artifact.compressed_bytes == len(data)
    return artifact


def records_of(artifact: ZipArtifact) -> list[Record]:
    """All records of a zip in their order."""
    return [record for owned in artifact.contents for record in owned.records]
