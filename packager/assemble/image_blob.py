"""One layer of an image: tar headers and spliced streams as members of one gzip file.

No file is compressed again. The digest of the tar (its diff_id) has to be known, so every stream
is inflated once, when the blob is made; blobs are kept by what is in them.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from packager.assemble.digests import BackgroundDigests
from packager.assemble.tar_stream import END, file_header, folder_header, padding
from packager.model.canonical import DEFLATED, Record
from packager.model.deflating import inflated_pieces
from packager.model.gzip_members import small_member, spliced_member

_CHUNK = 1 << 20
_PIECE = 1 << 18


class BlobFile(NamedTuple):
    """A file for a blob: whose it is, the zip's record, and what reads its bytes there."""

    owner: str
    record: Record
    read: Callable[[], bytes]


class BlobFacts(NamedTuple):
    """What became of the files: the digests in hex, bytes of the gzip file and of the tar.

    `packed` maps an owner to the bytes its files and their headers take in the gzip file.
    """

    sha256: str
    diff_sha256: str
    compressed_bytes: int
    uncompressed_bytes: int
    packed: dict[str, int]


class DamagedStreamError(Exception):
    """A stream does not inflate to what its record says."""


def write_blob(
    files: Iterable[BlobFile],
    write: Callable[[bytes], object],
    *,
    root: str,
    modified_seconds: int,
) -> BlobFacts:
    """Write a blob with `files` below the folder `root` (absolute), in the order of their names.

    Folders come before what is in them. Raises DamagedStreamError.
    """
    blob = _Blob(write)
    try:
        folders: set[str] = set()
        before = b""
        prefix = root.strip("/")
        for file in sorted(files, key=lambda each: each.record.name):
            name = f"{prefix}/{file.record.name.decode()}"
            headers = [before]
            headers += _new_folders(name, folders, modified_seconds)
            headers.append(
                file_header(
                    name,
                    uncompressed_bytes=file.record.uncompressed_bytes,
                    executable=file.record.executable,
                    modified_seconds=modified_seconds,
                )
            )
            blob.add_small(b"".join(headers), file.owner)
            blob.add_file(file)
            before = padding(file.record.uncompressed_bytes)
        last = next(reversed(blob.packed), "")
        blob.add_small(before + END, last)
        return blob.facts()
    finally:
        blob.close()


def _new_folders(name: str, known: set[str], modified_seconds: int) -> Iterator[bytes]:
    """Yield the headers of the folders of `name` that the tar does not have yet."""
    position = name.find("/")
    while position > 0:
        folder = name[:position]
        if folder not in known:
            known.add(folder)
            yield folder_header(folder, modified_seconds=modified_seconds)
        position = name.find("/", position + 1)


class _Gathered:
    """Hands small pieces on in large ones, which are digested in a thread on the way."""

    def __init__(self, write: Callable[[bytes], object] | None = None) -> None:
        self._write = write
        self._digests = BackgroundDigests()
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0
        self.total_bytes = 0

    def add(self, data: bytes) -> None:
        self.total_bytes += len(data)
        if len(data) >= _CHUNK:
            # Joined with what waits, it would be there twice.
            self._hand_on()
        self._pieces.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= _CHUNK:
            self._hand_on()

    def digest(self) -> str:
        self._hand_on()
        self._digests.cut()
        return self._digests.close()[0]

    def close(self) -> None:
        self._digests.close()

    def _hand_on(self) -> None:
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._waiting_bytes = [], 0
        self._digests.feed(data)
        if self._write is not None and data:
            self._write(data)


class _Blob:
    """Takes members: the gzip file is written and digested, its contents only digested."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._outer, self._inner = _Gathered(write), _Gathered()
        self.packed: dict[str, int] = {}

    def add_small(self, data: bytes, owner: str) -> None:
        self._inner.add(data)
        self._emit(small_member(data), owner)

    def add_file(self, file: BlobFile) -> None:
        record, stream, crc, size = file.record, file.read(), 0, 0
        try:
            for chunk in inflated(record, stream):
                crc = zlib.crc32(chunk, crc)
                size += len(chunk)
                self._inner.add(chunk)
        except zlib.error as error:
            raise DamagedStreamError(str(error)) from error
        if (crc, size) != (record.crc32, record.uncompressed_bytes):
            raise DamagedStreamError(f"{record.name!r} inflates to other bytes")
        for piece in spliced_member(record, stream):
            self._emit(piece, file.owner)

    def facts(self) -> BlobFacts:
        return BlobFacts(
            sha256=self._outer.digest(),
            diff_sha256=self._inner.digest(),
            compressed_bytes=self._outer.total_bytes,
            uncompressed_bytes=self._inner.total_bytes,
            packed=self.packed,
        )

    def close(self) -> None:
        self._outer.close()
        self._inner.close()

    def _emit(self, data: bytes, owner: str) -> None:
        self._outer.add(data)
        self.packed[owner] = self.packed.get(owner, 0) + len(data)


def inflated(record: Record, stream: bytes) -> Iterator[bytes]:
    """Yield the contents of a file from its bytes in the zip; raises zlib.error."""
    if record.method != DEFLATED:
        for start in range(0, len(stream), _CHUNK):
            yield stream[start : start + _CHUNK]
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    # In pieces, because what is not consumed is copied each time.
    starts = range(0, len(stream), _PIECE)
    yield from inflated_pieces(inflater, (stream[start : start + _PIECE] for start in starts))
    if not inflater.eof or inflater.unused_data:
        raise zlib.error("the stream does not end where its record says")
