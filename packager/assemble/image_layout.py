"""An image layout on disk that is whole at every moment: blobs first, then the index, then tidying.

The marker comes before everything else, so that what a killed build left is known as a layout.

Source: OCI image specification 1.1, image layout. Blobs are named by their digests, so that an
interrupted build leaves the old image, or the new one, and at worst blobs nobody refers to.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from packager.assemble.checked import PayloadDamagedError
from packager.assemble.output import Output, atomic_output
from packager.assemble.prefix_copy import PrefixCopy
from packager.at_once import at_once
from packager.errors import CannotBuild
from packager.leftovers import is_temporary, remove_leftovers, temporary_mark
from packager.model.image import ImageBlob, hex_of
from packager.model.prefix import Prefix, Range

MARKER: Final = '{"imageLayoutVersion":"1.0.0"}'
_COPIES_AT_ONCE: Final = 2

Identity = list[int]


class BlobDamagedError(Exception):
    """A blob that was to be copied is not what it was; `digest` and `path` tell which."""

    def __init__(self, blob: ImageBlob) -> None:
        """Name the blob."""
        super().__init__(blob.digest)
        self.blob = blob


def prepare_layout(folder: Path) -> Path:
    """Make the folders of a layout and return the one of the blobs.

    Raises CannotBuild when something else than a layout is there.
    """
    marker = folder / "oci-layout"
    try:
        if not marker.is_file():
            if folder.is_dir() and not all(is_temporary(each.name) for each in folder.iterdir()):
                raise CannotBuild(
                    f"`{folder}` is no image layout, and the image would be written there",
                    hint="move it away, or choose another --target-dir",
                )
            _write(marker, MARKER.encode())
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotBuild(
            f"cannot write `{folder}`: {error.strerror}",
            hint="choose a folder you may write to with --target-dir",
        ) from error
    return blobs


@contextmanager
def whole_or_gone(folder: Path) -> Iterator[None]:
    """Remove a layout that did not become one; an earlier image stays."""
    try:
        yield
    except BaseException:
        if (folder / "oci-layout").exists() and not (folder / "index.json").exists():
            import shutil  # noqa: PLC0415 -- hardly any build fails here

            shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def part_of(folder: Path) -> Iterator[Output]:
    """Yield an output beside the blobs, whose name nobody knows yet."""
    path = folder / "blobs" / f".code.{temporary_mark()}.part"
    try:
        remove_leftovers(str(path.parent), prefix=".", suffix=".part")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        output = Output(path, descriptor)
        try:
            yield output
        finally:
            output.close()
            os.close(descriptor)
            path.unlink(missing_ok=True)
    except OSError as error:
        raise CannotBuild(
            f"cannot write `{folder}`: {error.strerror}",
            hint="free some space there, or choose another folder with --target-dir",
        ) from error


def place_blobs(
    blobs: Sequence[ImageBlob], folder: Path, *, known: dict[str, Identity]
) -> dict[str, Identity]:
    """Copy into `folder` every blob that is not there, and return what is there now.

    `known` has the identities (size in bytes, dates in ns, inode) of blobs whose digests were
    right when they were written: while a file is the same, so are its bytes. Raises
    BlobDamagedError, and CannotBuild for what the disk refuses.
    """
    wanted = {blob.digest: blob for blob in blobs}
    missing = [
        blob
        for digest, blob in wanted.items()
        if known.get(digest) is None or identity_of(folder / hex_of(digest)) != known[digest]
    ]
    _copy_all(missing, folder)
    return {digest: identity_of(folder / hex_of(digest)) or [] for digest in wanted}


def write_index(
    folder: Path, documents: Iterable[tuple[str, bytes]], index: bytes, *, keep: Iterable[str]
) -> None:
    """Write small blobs (digest and content), then the index; remove blobs of earlier images.

    `keep` are the digests of the large blobs. Raises CannotBuild.
    """
    blobs = folder / "blobs" / "sha256"
    kept = {hex_of(digest) for digest in keep}
    for digest, content in documents:
        kept.add(hex_of(digest))
        path = blobs / hex_of(digest)
        if not path.is_file() or path.read_bytes() != content:
            _write(path, content)
    _write(folder / "index.json", index)
    try:
        for path in blobs.iterdir():
            if path.name not in kept:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise CannotBuild(
            f"cannot clear `{blobs}`: {error.strerror}",
            hint="choose a folder you may write to with --target-dir",
        ) from error


def identity_of(path: Path) -> Identity | None:
    """Return size, dates and inode of `path`, None when it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _copy_all(blobs: Sequence[ImageBlob], folder: Path) -> None:
    """Copy two at a time, the large ones first; raises what the first one that failed says."""
    trouble: list[Exception] = []

    def copy(blob: ImageBlob) -> None:
        try:
            if not trouble:
                _copy(blob, folder / hex_of(blob.digest))
        except Exception as error:  # noqa: BLE001 -- raised again in the main thread
            trouble.append(error)

    large_first = sorted(blobs, key=lambda blob: -blob.compressed_bytes)
    at_once([partial(copy, blob) for blob in large_first], _COPIES_AT_ONCE)
    if trouble:
        raise trouble[0]


def _copy(blob: ImageBlob, destination: Path) -> None:
    """Copy and hold the digest against the name, by the piece that rewrites zips."""
    found = identity_of(Path(blob.path))
    if found is None or found[0] != blob.compressed_bytes:
        raise BlobDamagedError(blob)
    whole = Range(0, 0, blob.compressed_bytes)
    prefix = Prefix(hex_of(blob.digest), blob.compressed_bytes, (whole,), (), b"", b"")
    source = [(blob.digest, Path(blob.path))]
    # A torn blob, after a power cut, is found by its digest: nobody uses one without taking it.
    with atomic_output(destination, durable=False, hashed=False) as output:
        try:
            with PrefixCopy(prefix, source, output.path) as copying:
                copying.finish()
        except PayloadDamagedError:
            raise BlobDamagedError(blob) from None


def _write(path: Path, content: bytes) -> None:
    with atomic_output(path, durable=False, hashed=False) as output:
        output.write(content)
