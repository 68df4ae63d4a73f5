"""Opens any artifact by what it holds, not by what it is called."""

import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packager.errors import UsageError
from packager.inspect.folder_artifact import open_folder
from packager.inspect.image_artifact import open_image
from packager.inspect.zip_artifact import open_zip
from packager.model.found import Opened


@contextmanager
def open_artifact(path: Path) -> Iterator[Opened]:
    """Open a zip, a layer's zip, a wheel, an image layout or archive, or a folder.

    Raises UsageError for anything else, and for what is damaged or made to mislead.
    """
    try:
        if path.is_dir():
            opener = open_image if (path / "index.json").is_file() else open_folder
            with opener(path) as opened:
                yield opened
        elif path.is_file() and _is_tar(path):
            with open_image(path) as opened:
                yield opened
        else:
            with open_zip(path, kind="wheel" if path.suffix == ".whl" else None) as opened:
                yield opened
    except (tarfile.TarError, EOFError, zlib.error) as error:
        # Not only what `image_source` reads may be cut off, but the archive around it.
        raise UsageError(
            f"`{path.name}` is a damaged archive: {_first_line(error) or 'it ends early'}",
            hint="write or fetch it anew",
        ) from error
    except OSError as error:
        raise UsageError(
            f"cannot read `{path}`: {error.strerror or error}", hint=f"ls -l {path}"
        ) from error


def _first_line(error: Exception) -> str:
    """Leave out what tarfile lists below: every compression that it tried in vain."""
    return str(error).partition("\n")[0].rstrip(":")


def _is_tar(path: Path) -> bool:
    """Tell a tar from a zip by its first block: `ustar` stands at byte 257 (POSIX pax)."""
    with path.open("rb") as file:
        head = file.read(512)
    if head[257:262] == b"ustar":
        return True
    try:
        return head[:2] == b"\x1f\x8b" and tarfile.is_tarfile(path)
    except (EOFError, zlib.error):
        return False
