"""An image layout on disk that is whole at every moment: blobs first, then the index, then tidying.

Source: OCI image specification 1.1, image layout. Blobs are named by their digests, so that an
interrupted build leaves the old image, or the new one, and at worst blobs nobody refers to.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from packager.assemble.output import atomic_output
from packager.errors import CannotBuild
from packager.model.image import ImageBlob, hex_of

MARKER: Final = '{"imageLayoutVersion":"1.0.0"}'
_CHUNK: Final = 1 << 20
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
    try:
        if folder.is_dir() and any(folder.iterdir()) and not (folder / "oci-layout").is_file():
            raise CannotBuild(
                f"`{folder}` is no image layout, and the image would be written there",
                hint="move it away, or choose another --target-dir",
            )
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotBuild(
            f"cannot write `{folder}`: {error.strerror}",
            hint="choose a folder you may write to with --target-dir",
        ) from error
    return blobs


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
    if len(missing) == 1:
        _copy(missing[0], folder / hex_of(missing[0].digest))
    elif missing:
        # Loaded here because it brings the logging module: most builds copy one blob or none.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor(_COPIES_AT_ONCE) as threads:
            list(threads.map(lambda blob: _copy(blob, folder / hex_of(blob.digest)), missing))
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
    marker = folder / "oci-layout"
    if not marker.is_file():
        _write(marker, MARKER.encode())
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


def _copy(blob: ImageBlob, destination: Path) -> None:
    """Copy and hold the digest against the name."""
    try:
        source = Path(blob.path).open("rb", buffering=0)  # noqa: SIM115 -- closed below
    except OSError:
        raise BlobDamagedError(blob) from None
    # A torn blob, after a power cut, is found by its digest: nobody uses one without taking it.
    with source, atomic_output(destination, durable=False) as output:
        while chunk := source.read(_CHUNK):
            output.write(chunk)
        if output.hexdigest() != hex_of(blob.digest):
            raise BlobDamagedError(blob)


def _write(path: Path, content: bytes) -> None:
    with atomic_output(path, durable=False, hashed=False) as output:
        output.write(content)
