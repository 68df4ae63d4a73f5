"""Headers of a deterministic tar: ustar, pax only for names that need it. Pure.

Source: POSIX.1-2017, pax interchange format. Owner and group are 0 and have no names, nothing is
executable but what the zip would have executable, all dates are equal.
"""

BLOCK = 512
END = bytes(2 * BLOCK)
"""Two blocks of zeros end a tar."""


_LONGEST_NAME = 100
_NUMBER_END = 8**11


def file_header(
    name: str, *, uncompressed_bytes: int, executable: bool, modified_seconds: int
) -> bytes:
    """Return what stands before the contents of the file `name`."""
    mode = 0o755 if executable else 0o644
    return _header(name, b"0", mode, uncompressed_bytes, modified_seconds)


def folder_header(name: str, *, modified_seconds: int) -> bytes:
    """Return the header of the folder `name`."""
    return _header(name + "/", b"5", 0o755, 0, modified_seconds)


def padding(uncompressed_bytes: int) -> bytes:
    """Return the zeros between contents of that length and the next header."""
    return bytes(-uncompressed_bytes % BLOCK)


def _header(name: str, kind: bytes, mode: int, length: int, modified_seconds: int) -> bytes:
    if not name.isascii() or len(name) > _LONGEST_NAME or length >= _NUMBER_END:
        return _long_header(name, kind, mode, length, modified_seconds)
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, 0, 0, length, modified_seconds)
    before = name.encode("ascii").ljust(_LONGEST_NAME, b"\0") + numbers
    # A linked name, the format; no names of owner and group, no device, no more of the name.
    after = kind + bytes(100) + b"ustar\00000" + bytes(247)
    # While it is summed up, the place of the sum holds spaces.
    total = sum(before) + sum(after) + 8 * ord(" ")
    return b"%b%06o\0 %b" % (before, total, after)


def _long_header(name: str, kind: bytes, mode: int, length: int, modified_seconds: int) -> bytes:
    # Loaded here because it takes a while, and the user's own files seldom have such names.
    import tarfile  # noqa: PLC0415

    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.mtime = kind, mode, length, modified_seconds
    try:
        return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    except (ValueError, UnicodeEncodeError):
        return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
