"""The bytecode of one distribution as a payload of its own, beside the one with its files."""

import zlib
from collections.abc import Collection, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

from packager.model.canonical import (
    DEFLATED,
    END,
    LOCAL,
    NotCanonicalError,
    Record,
    read_directory,
    read_end_record,
)
from packager.model.deflating import deflated
from packager.model.payload import Payload
from packager.slim.bytecode import Compiled, NotCompiled, compile_members, pyc_name
from packager.slim.bytecode_choice import PycFact
from packager.slim.payload_writer import PayloadWriter, smallest

_LEVEL = 9


class BytecodePayload(NamedTuple):
    """A payload with the bytecode of a distribution, and its sources that have none."""

    payload: Payload
    not_compiled: tuple[NotCompiled, ...]


def write_bytecode_payload(
    source: Path,
    destination: Path,
    *,
    key: str,
    interpreter: Path,
    python: tuple[int, int],
    level: int = _LEVEL,
) -> BytecodePayload:
    """Write to `destination` the bytecode of every module in the payload at `source`.

    `interpreter` is a release of CPython `python`; `key` is the place in the store, `level` that
    of libdeflate. Equal sources, interpreter and level give equal bytes. Raises NotCanonicalError
    when `source` is damaged, OSError when the disk fails, CannotBuild as `compile_members` does.
    """
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        records = {record.name.decode(): record for record in _records(data)}
        wanted, skipped = _modules(records, python)
        writer = PayloadWriter(destination)
        try:
            sources = ((name, _contents(data, records[name])) for name in wanted)
            # Without a module there is no need to start an interpreter.
            for each in compile_members(interpreter, sources, python=python) if wanted else ():
                if isinstance(each, Compiled):
                    stream = smallest(each.data, deflated(each.data, level))
                    writer.add_stream(each.name, stream, executable=False)
                else:
                    skipped.append(each)
            payload = writer.finish(key=key)
        finally:
            writer.close()
    return BytecodePayload(payload, tuple(sorted(skipped)))


def bytecode_facts(path: Path) -> dict[str, PycFact]:
    """Return what each file of the payload at `path` would add to an artifact.

    Raises NotCanonicalError when the payload is damaged, OSError when it cannot be read.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return {
            record.name.decode(): PycFact(record.contribution_bytes, record.uncompressed_bytes)
            for record in _records(data)
        }


def write_chosen(source: Path, chosen: Collection[str], destination: Path, *, key: str) -> Payload:
    """Write a payload with those files of the payload at `source` whose names are in `chosen`.

    Streams are spliced. Raises NotCanonicalError when `source` is damaged, OSError when the disk
    fails.
    """
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        writer = PayloadWriter(destination)
        try:
            for record in _records(data):
                name = record.name.decode()
                if name in chosen:
                    writer.add_chunks(name, record, iter((_stored(data, record),)))
            return writer.finish(key=key)
        finally:
            writer.close()


def _modules(
    records: Mapping[str, Record], python: tuple[int, int]
) -> tuple[list[str], list[NotCompiled]]:
    """Return the sources to compile, in the order of their bytecode, and those to leave."""
    wanted: list[str] = []
    skipped: list[NotCompiled] = []
    for name in sorted(records, key=lambda each: pyc_name(each, python).encode()):
        if not name.endswith(".py"):
            continue
        if not all(part.isidentifier() for part in name.removesuffix(".py").split("/")):
            skipped.append(NotCompiled(name, "no import statement can name it"))
        elif pyc_name(name, python) in records:
            skipped.append(NotCompiled(name, "the wheel brings bytecode for it"))
        else:
            wanted.append(name)
    return wanted, skipped


def _records(data: mmap) -> list[Record]:
    entries, size, offset = read_end_record(data[-END.size :], len(data))
    directory = read_directory(data[offset : offset + size], entries=entries)
    return [record for record, _ in directory]


def _stored(data: mmap, record: Record) -> bytes:
    start = record.offset + LOCAL.size + len(record.name)
    return data[start : start + record.compressed_bytes]


def _contents(data: mmap, record: Record) -> bytes:
    stored = _stored(data, record)
    try:
        contents = zlib.decompress(stored, -zlib.MAX_WBITS) if record.method == DEFLATED else stored
    except zlib.error as error:
        raise NotCanonicalError(f"{record.name!r} does not inflate: {error}") from error
    if zlib.crc32(contents) != record.crc32:
        raise NotCanonicalError(f"{record.name!r} is not what was written")
    return contents
