"""Distributions that arrive in /tmp when a function starts, and the archives they arrive in."""

from typing import Any, Literal, NamedTuple

Codec = Literal["deflate", "xz", "zstd"]
Form = Literal["nested", "s3"]

INDEX = ".lpack/offload.json"
"""What the bootstrap reads at start, as the name of a file in the zip."""

FOLDER = ".lpack/offload"
"""Where nested archives lie in the zip."""


class Offloaded(NamedTuple):
    """One distribution's archive.

    `key` is its place in the store, `archive` its file name. `compressed_bytes` is the archive,
    `uncompressed_bytes` the sum of its files, `disk_bytes` what they take in /tmp, folders and
    whole blocks included. `modules` are the files of the modules whose import needs all the
    others, `spaces` the namespace packages above them. With `pth` the files must be there from the
    start. All distributions of a `group` have to lie in one folder; it is named after one of them.
    With a `bucket` the archive is the object `object_key` there, otherwise it is inside the zip.
    """

    key: str
    archive: str
    codec: Codec
    sha256: str
    entries: int
    compressed_bytes: int
    uncompressed_bytes: int
    disk_bytes: int
    modules: tuple[str, ...]
    spaces: tuple[str, ...]
    pth: bool
    group: str
    bucket: str = ""
    object_key: str = ""

    def facts(self, name: str, version: str) -> dict[str, Any]:
        """Return what manifests and the bootstrap say of the archive of a distribution.

        Which version of the object it is, whoever uploads it finds out.
        """
        return {
            "name": name,
            "version": version,
            "archive": self.archive,
            "codec": self.codec,
            "sha256": self.sha256,
            "entries": self.entries,
            "compressed_bytes": self.compressed_bytes,
            "uncompressed_bytes": self.uncompressed_bytes,
            "bucket": self.bucket or None,
            "key": self.object_key or None,
            "object_version": None,
        }


SUFFIXES: dict[Codec, str] = {"deflate": ".zip", "xz": ".tar.xz", "zstd": ".tar.zst"}
"""What each codec's archives are called; unzip and tar read them."""
