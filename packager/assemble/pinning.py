"""Say in a finished zip, and in its manifest, which versions of objects in S3 it asks for.

A version is known when an archive was uploaded, and that is after the build. The bootstrap's index
is stored, not deflated, and ends in room for the versions: nothing in the zip moves.
"""

import hashlib
import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.assemble.output import atomic_output
from packager.errors import CannotPublish
from packager.model.canonical import (
    CENTRAL,
    END,
    LOCAL,
    STORED,
    NotCanonicalError,
    Record,
    central_record,
    local_header,
    read_directory,
    read_end_record,
)
from packager.model.offload import INDEX


def pin_versions(artifact: Path, manifest_path: Path, versions: Mapping[str, str | None]) -> None:
    """Write `versions`, by the key of the object, into the zip and then into its manifest.

    The zip comes first: when only one of both is there, the digest tells. Raises CannotPublish
    for a zip that is not lpack's own or has no room, CannotBuild when the disk refuses.
    """
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    data = bytearray(artifact.read_bytes())
    if hashlib.sha256(data).hexdigest() != manifest["artifact"]["sha256"]:
        raise CannotPublish(
            f"`{artifact}` is not the zip its manifest describes", hint="lpack build"
        )
    try:
        crc = _pin_index(data, versions, stamp=manifest["artifact"]["stamp"])
    except NotCanonicalError as error:
        raise CannotPublish(
            f"`{artifact}` cannot be pinned: {error}", hint="lpack build"
        ) from error
    digest = hashlib.sha256(data).digest()
    manifest["artifact"]["sha256"] = digest.hex()
    manifest["artifact"]["code_sha256"] = b64encode(digest).decode()
    for row in manifest["code"]["files"]:
        if row[0] == INDEX:
            row[3] = crc
    for archive in manifest["offload"]["archives"]:
        archive["object_version"] = versions.get(archive["key"])
    with atomic_output(artifact) as output:
        output.write(bytes(data))
    text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":")) + "\n"
    with atomic_output(manifest_path) as output:
        output.write(text.encode())


def pinned_index(index: bytes, versions: Mapping[str, str | None]) -> bytes:
    """Return the index with versions in it, in its old length; raises NotCanonicalError."""
    document = json.loads(index)
    archives: list[dict[str, Any]] = [a for group in document["groups"] for a in group["archives"]]
    for archive in archives:
        archive["object_version"] = versions.get(archive["key"])
    text = json.dumps(document, separators=(",", ":")).encode()
    if len(text) > len(index):
        raise NotCanonicalError("its index has no room for the versions")
    return text.ljust(len(index))


def _pin_index(data: bytearray, versions: Mapping[str, str | None], *, stamp: int) -> int:
    """Change the index inside the zip `data` and return its new checksum."""
    entries, directory_bytes, place = read_end_record(bytes(data[-END.size :]), len(data))
    directory = bytes(data[place : place + directory_bytes])
    for record, _ in read_directory(directory, entries=entries):
        if record.name == INDEX.encode():
            return _replace(data, record, place, versions, stamp)
        place += CENTRAL.size + len(record.name)
    raise NotCanonicalError(f"there is no {INDEX} in it")


def _replace(
    data: bytearray, record: Record, place: int, versions: Mapping[str, str | None], stamp: int
) -> int:
    if record.method != STORED:
        raise NotCanonicalError("its index is deflated")
    start = record.offset + LOCAL.size + len(record.name)
    end = start + record.compressed_bytes
    data[start:end] = pinned_index(bytes(data[start:end]), versions)
    changed = record._replace(crc32=zlib.crc32(data[start:end]))
    data[record.offset : start] = local_header(changed, stamp)
    data[place : place + CENTRAL.size + len(record.name)] = central_record(changed, stamp)
    return changed.crc32
