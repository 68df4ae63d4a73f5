"""A file as S3 sees it: its parts and their digests.

S3 answers with digests of what it has, which are those of the whole file for one request, and
those of the parts' digests for an upload in parts (Amazon S3 User Guide, "Checking object
integrity"). With fixed part sizes both can be computed here, so that what is there already is
known without any bookkeeping of our own.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

PART_BYTES = 8 * 1024 * 1024
"""The least S3 takes is 5 MiB; a failed part costs as much again."""


class Part(NamedTuple):
    """One piece of the file: `number` counts from 1, `sha256` is raw, `md5` too."""

    number: int
    offset_bytes: int
    size_bytes: int
    sha256: bytes
    md5: bytes

    @property
    def checksum(self) -> str:
        """The SHA-256 as S3 writes it."""
        return b64encode(self.sha256).decode()

    def is_stored_as(self, listed: Mapping[str, Any]) -> bool:
        """Tell whether a part that S3 lists has exactly these bytes."""
        if int(listed["Size"]) != self.size_bytes:
            return False
        checksum = listed.get("ChecksumSHA256")
        if checksum:
            return str(checksum) == self.checksum
        return str(listed["ETag"]).strip('"') == self.md5.hex()


class FileParts(NamedTuple):
    """A file and its parts; `sha256` and `md5` are those of the whole, raw."""

    path: Path
    size_bytes: int
    sha256: bytes
    md5: bytes
    parts: tuple[Part, ...]

    @property
    def checksum(self) -> str:
        """The SHA-256 of the whole as S3 and Lambda write it (CodeSha256)."""
        return b64encode(self.sha256).decode()

    @property
    def composite_checksum(self) -> str:
        """The SHA-256 of an upload in parts, without the number of parts behind it."""
        joined = b"".join(part.sha256 for part in self.parts)
        return b64encode(hashlib.sha256(joined).digest()).decode()

    @property
    def composite_tag(self) -> str:
        """The ETag of an upload in parts, where S3 makes it of MD5 sums."""
        joined = b"".join(part.md5 for part in self.parts)
        digest = hashlib.md5(joined, usedforsecurity=False).hexdigest()
        return f"{digest}-{len(self.parts)}"

    def is_stored_as(self, attributes: Mapping[str, Any]) -> bool:
        """Tell whether an object with these attributes (GetObjectAttributes) has these bytes.

        S3's SHA-256 decides where it has one. Without it the ETag does, which is an MD5 sum
        unless the object is encrypted with a customer's key; then it fits nothing, and the
        file is uploaded again.
        """
        if int(attributes.get("ObjectSize", -1)) != self.size_bytes:
            return False
        checksum = str(attributes.get("Checksum", {}).get("ChecksumSHA256") or "")
        if checksum:
            return checksum.partition("-")[0] in {self.checksum, self.composite_checksum}
        tag = str(attributes.get("ETag", "")).strip('"')
        return tag in {self.md5.hex(), self.composite_tag}


def read_parts(path: Path, *, part_bytes: int = PART_BYTES) -> FileParts:
    """Read the file at `path` once and return its digests; raises OSError."""
    whole = hashlib.sha256()
    whole_md5 = hashlib.md5(usedforsecurity=False)
    parts: list[Part] = []
    offset = 0
    with path.open("rb") as file:
        while block := file.read(part_bytes):
            whole.update(block)
            whole_md5.update(block)
            digests = (
                hashlib.sha256(block).digest(),
                hashlib.md5(block, usedforsecurity=False).digest(),
            )
            parts.append(Part(len(parts) + 1, offset, len(block), *digests))
            offset += len(block)
    return FileParts(path, offset, whole.digest(), whole_md5.digest(), tuple(parts))


def read_part(path: Path, part: Part) -> bytes:
    """Return the bytes of one part; raises OSError."""
    with path.open("rb") as file:
        file.seek(part.offset_bytes)
        return file.read(part.size_bytes)
