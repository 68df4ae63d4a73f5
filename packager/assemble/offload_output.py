"""Write the archives that go to S3 beside the zip."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from packager.assemble.output import atomic_output
from packager.errors import CannotBuild
from packager.model.offload import SUFFIXES, Offloaded

_CHUNK_BYTES = 1 << 20


def write_archives(folder: Path, archives: Mapping[Path, Offloaded]) -> list[Path]:
    """Copy archives, by where they lie, into `folder`, which holds nothing else afterwards.

    What is there already stays. Returns the files. Raises CannotBuild for what the disk refuses.
    """
    wanted = {archive.archive: (place, archive) for place, archive in archives.items()}
    written = []
    for name, (place, archive) in sorted(wanted.items()):
        target = folder / name
        written.append(target)
        if not _is(target, archive):
            with place.open("rb") as source, atomic_output(target) as output:
                while chunk := source.read(_CHUNK_BYTES):
                    output.write(chunk)
    _remove_others(folder, wanted)
    return written


def _is(path: Path, archive: Offloaded) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == archive.sha256
    except OSError:
        return False


def _remove_others(folder: Path, wanted: Mapping[str, object]) -> None:
    """Remove archives of earlier builds, and the folder when nothing is left."""
    try:
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name not in wanted and path.name.endswith(tuple(SUFFIXES.values())):
                path.unlink()
        if not wanted and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise CannotBuild(
            f"cannot clear `{folder}`: {error.strerror}",
            hint="choose a folder you may write to with --target-dir",
        ) from error
