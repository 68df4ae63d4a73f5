"""Write the archive of a distribution that arrives in /tmp, and what of its payload stays.

Metadata stays in the zip: `importlib.metadata`, entry points and version checks work while nothing
is unpacked. A `deflate` archive is a zip of the payload's own streams, nothing is deflated anew.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from packager.model.offload import FOLDER, SUFFIXES, Codec, Offloaded
from packager.model.payload import Payload
from packager.slim.offload_modules import is_metadata, module_names
from packager.slim.payload_reader import PayloadReader
from packager.slim.payload_writer import PayloadWriter, stored_file
from packager.slim.tar_archive import pack_tar, tar_file

RECIPE = 1
"""Part of every archive's key: raise it when equal payloads would give other bytes."""

_BLOCK_BYTES = 4096


def write_archive(
    payloads: Sequence[Path], destination: Path, *, codec: Codec, key: str, title: str
) -> Offloaded:
    """Write to `destination` all files of `payloads`, which are one distribution's, but metadata.

    `title` names the archive, without an ending. Raises NotCanonicalError for a damaged payload,
    OSError when the disk fails.
    """
    with ExitStack() as stack:
        readers = [PayloadReader(stack.enter_context(path.open("rb"))) for path in payloads]
        files = {
            name: reader
            for reader in readers
            for name in reader.records
            if not is_metadata(name)
        }  # fmt: skip
        ordered = sorted(files, key=str.encode)
        if codec == "deflate":
            _write_zip(destination, ordered, files)
        else:
            members = [tar_file(files[name], name) for name in ordered]
            with destination.open("wb") as output:
                pack_tar(output, members, codec=codec)
        sizes = {name: files[name].records[name].uncompressed_bytes for name in ordered}
    with destination.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    names = module_names(ordered)
    return Offloaded(
        key=key,
        archive=title + SUFFIXES[codec],
        codec=codec,
        sha256=digest,
        entries=len(ordered),
        compressed_bytes=destination.stat().st_size,
        uncompressed_bytes=sum(sizes.values()),
        disk_bytes=disk_bytes(sizes),
        modules=names.modules,
        spaces=names.spaces,
        pth=names.pth,
        group=title,
    )


def disk_bytes(sizes: Mapping[str, int]) -> int:
    """Return what files of these sizes take in /tmp: whole blocks, and one for each folder."""
    folders = {
        "/".join(parts[:n])
        for parts in (name.split("/") for name in sizes)
        for n in range(len(parts))
    }
    blocks = sum(-(-each // _BLOCK_BYTES) for each in sizes.values())
    return (blocks + len(folders) + 1) * _BLOCK_BYTES


def write_remainder(
    payload: Path, archive: Path | None, destination: Path, *, key: str, named: str
) -> Payload:
    """Write to `destination` the metadata of `payload`, and the archive `named` if it is nested.

    Raises NotCanonicalError for a damaged payload, OSError when the disk fails.
    """
    writer = PayloadWriter(destination)
    try:
        with payload.open("rb") as source:
            reader = PayloadReader(source)
            for name in sorted(filter(is_metadata, reader.records), key=str.encode):
                record = reader.records[name]
                writer.add_chunks(name, record, reader.stored(name))
        if archive is not None:
            with archive.open("rb") as file:
                stream = stored_file(file)
                writer.add_stream(f"{FOLDER}/{named}", stream, executable=False)
        return writer.finish(key=key)
    finally:
        writer.close()


def _write_zip(destination: Path, ordered: Sequence[str], files: dict[str, PayloadReader]) -> None:
    writer = PayloadWriter(destination)
    try:
        for name in ordered:
            writer.add_chunks(name, files[name].records[name], files[name].stored(name))
        writer.finish(key="")
    finally:
        writer.close()
