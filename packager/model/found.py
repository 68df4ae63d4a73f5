"""What is found in an artifact that somebody else made, before anybody owns it."""

from typing import Any, BinaryIO, Literal, NamedTuple, Protocol

ArtifactKind = Literal["zip", "layer", "image", "folder", "wheel"]
"""A function's zip, a Lambda layer's zip, a container image, an unpacked folder, a wheel."""


class FoundFile(NamedTuple):
    """One file of an artifact.

    `path` has forward slashes and begins at the artifact's top (`python/requests/api.py` of a
    layer, `var/task/app.py` of an image). `compressed_bytes` is the stream alone,
    `contribution_bytes` everything the file adds to the artifact, headers and gaps included; both
    are 0 in a folder. `crc32` is None where nobody stated it. `mode` is the unix mode with the
    file type, 0 when unknown. `dated` is its date in the
    artifact, in seconds since 1970 and read as UTC; None without one. `place` is for the reader.
    """

    path: str
    uncompressed_bytes: int
    compressed_bytes: int
    contribution_bytes: int
    crc32: int | None
    mode: int
    dated: int | None
    place: Any


class ImageFacts(NamedTuple):
    """What an image's manifest and configuration state.

    `base_*` count the files outside of what a function brings along. `sonames` are the libraries
    the base has. `variables` are the environment variables' names and values.
    """

    architecture: str
    manifest_sha256: str
    config_sha256: str
    working_directory: str
    command: tuple[str, ...]
    entry_point: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    layers: tuple[tuple[str, int], ...]
    base_files: int
    base_uncompressed_bytes: int
    sonames: frozenset[str]


class Found(NamedTuple):
    """An opened artifact: every file, in the artifact's order; folders are left out.

    `compressed_bytes` is the artifact's own size on disk, 0 for a folder; what no file accounts
    for of it (end records, folders' entries, a program in front) is `overhead_bytes`. `oddities`
    are (code, path, sentence) rows about the container itself.
    """

    kind: ArtifactKind
    name: str
    files: tuple[FoundFile, ...]
    compressed_bytes: int
    overhead_bytes: int
    oddities: tuple[tuple[str, str, str], ...] = ()
    image: ImageFacts | None = None

    @property
    def uncompressed_bytes(self) -> int:
        """The sum of the files as Lambda counts it; an image's base is not among them."""
        return sum(file.uncompressed_bytes for file in self.files)


class Opened(Protocol):
    """An artifact that is open: its files can be read while it is."""

    @property
    def found(self) -> Found:
        """Return what is in it."""

    def read(self, file: FoundFile, limit_bytes: int = -1) -> bytes:
        """Return the file's first bytes, all without a limit; raises OSError when unreadable."""

    def spool(self, file: FoundFile) -> BinaryIO:
        """Return the whole file as a seekable stream that takes little memory.

        Raises OSError when it cannot be read.
        """
