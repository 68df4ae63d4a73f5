"""Headers of a deterministic tar: ustar, pax only for names that need it. Pure.

Source: POSIX.1-2017, pax interchange format. Owner and group are 0 and have no names, nothing is
executable but what the zip would have executable, all dates are equal.
"""

import tarfile

BLOCK = 512
END = bytes(2 * BLOCK)
"""Two blocks of zeros end a tar."""


def file_header(
    name: str, *, uncompressed_bytes: int, executable: bool, modified_seconds: int
) -> bytes:
    """Return what stands before the contents of the file `name`."""
    entry = tarfile.TarInfo(name)
    entry.size = uncompressed_bytes
    entry.mode = 0o755 if executable else 0o644
    entry.mtime = modified_seconds
    return _header(entry)


def folder_header(name: str, *, modified_seconds: int) -> bytes:
    """Return the header of the folder `name`."""
    entry = tarfile.TarInfo(name + "/")
    entry.type = tarfile.DIRTYPE
    entry.mode = 0o755
    entry.mtime = modified_seconds
    return _header(entry)


def padding(uncompressed_bytes: int) -> bytes:
    """Return the zeros between contents of that length and the next header."""
    return bytes(-uncompressed_bytes % BLOCK)


def _header(entry: tarfile.TarInfo) -> bytes:
    try:
        return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    except (ValueError, UnicodeEncodeError):
        return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
