"""Write a verified wheel's payload: what ships of it, slimmed, under canonical headers.

Nothing of the wheel's headers is copied. Streams that slimming leaves alone are spliced as they
are; RECORD is written anew, and last, when it no longer describes what ships.
"""

import os
from collections import deque
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import NamedTuple, cast

from packager.errors import WheelRefused
from packager.model.canonical import Record
from packager.model.payload import Payload
from packager.model.prune import SlimSettings
from packager.model.record import RecordEntry, render_record
from packager.model.wheel import AdmittedWheel, WheelMember
from packager.slim.byte_budget import ByteBudget
from packager.slim.elf_room import Room
from packager.slim.elf_seals import is_sealed
from packager.slim.inflating import contents, inflated_head, stored_chunks
from packager.slim.layout import Layout, lay_out
from packager.slim.mapped import LARGE_BYTES, Residents, little_resident, room_for
from packager.slim.payload_writer import PayloadWriter
from packager.slim.rules import choose_dropped
from packager.slim.transform import (
    Transformed,
    deflate_again,
    deflate_stripped,
    is_splicable,
    strip,
)

# Part of every payload's key: raise it when equal wheels would give other payload bytes.
RECIPE = 3

AS_IT_IS = SlimSettings(tier="off", strip=False, recompress=False)
"""Settings that ship a wheel as an installer would."""

# How many uncompressed bytes of one wheel wait for the threads at once.
_AHEAD_BYTES = 8 * 1024 * 1024

# How many uncompressed bytes all wheels together are transformed of at once. Stripping and
# deflating hold a file about twice.
_AT_ONCE = ByteBudget(16 * 1024 * 1024)


class _Item(NamedTuple):
    name: str
    member: WheelMember
    result: "Future[Transformed] | None"


def write_payload(
    wheel_path: Path,
    wheel: AdmittedWheel,
    destination: Path,
    *,
    key: str,
    settings: SlimSettings = AS_IT_IS,
    python: str | None = None,
    threads: Executor | None = None,
) -> Payload:
    """Write the payload of the admitted wheel at `wheel_path` to `destination`.

    Returns its facts; `key` is its place in the store, `python` the target's minor version
    (`3.13`). Transformations run in `threads` when given; the bytes do not depend on them.
    Raises WheelRefused when its files cannot be laid out, OSError when the disk fails.
    """
    source = os.open(wheel_path, os.O_RDONLY)
    writer = PayloadWriter(destination)
    try:
        layout = _pruned(wheel, source, settings, python)
        slimming = _Slimming(wheel, source, destination.parent, settings, threads)
        rewritten = slimming.write(layout, writer)
        return writer.finish(key=key, dropped=layout.dropped, stripped=rewritten)
    except OverflowError as error:
        raise WheelRefused(
            wheel.filename, "it is larger than a zip without zip64 can be"
        ) from error
    finally:
        os.close(source)
        writer.close()


def _pruned(
    wheel: AdmittedWheel, source: int, settings: SlimSettings, python: str | None
) -> Layout:
    """Lay the wheel out and take out what the rules and the user drop."""
    layout = lay_out(wheel)
    chosen = choose_dropped(
        wheel,
        layout.shipped,
        settings,
        read_head=lambda member: inflated_head(source, member),
        python=python,
    )
    if not chosen:
        return layout
    gone = {dropped.path for dropped in chosen}
    return Layout(
        shipped=tuple(pair for pair in layout.shipped if pair[0] not in gone),
        dropped=tuple(sorted((*layout.dropped, *chosen))),
        rewrite_record=True,
    )


class _MappedRoom(Room):
    """Room in a file, kept out of memory together with what is read meanwhile."""

    def __init__(self, folder: Path, residents: Residents) -> None:
        self._folder = folder
        self._residents = residents

    def make(self, length: int) -> bytearray:
        buffer = room_for(length, self._folder)
        self._residents.add(buffer)
        # What is done with a bytearray of fixed length, a mapping can do as well.
        return cast("bytearray", buffer)

    def rest(self) -> None:
        self._residents.shed()


class _Slimming:
    """Writes the members of one wheel, transforming a bounded number of bytes ahead."""

    def __init__(
        self,
        wheel: AdmittedWheel,
        source: int,
        folder: Path,
        settings: SlimSettings,
        threads: Executor | None,
    ) -> None:
        self._wheel = wheel
        self._source = source
        self._folder = folder
        self._settings = settings
        self._threads = threads
        self._hashes: dict[str, RecordEntry] = {}
        self._stripped: list[tuple[str, int]] = []
        self._names = frozenset(member.name for member in wheel.members)

    def write(self, layout: Layout, writer: PayloadWriter) -> tuple[tuple[str, int], ...]:
        """Write all files; return (path, removed bytes) of the stripped ones."""
        own = f"{self._wheel.dist_info}/RECORD"
        waiting: deque[_Item] = deque()
        ahead = 0
        for name, member in layout.shipped:
            if name == own:
                continue
            while waiting and ahead + member.uncompressed_bytes > _AHEAD_BYTES:
                ahead -= waiting[0].member.uncompressed_bytes
                self._write(waiting.popleft(), writer)
            waiting.append(_Item(name, member, self._begin(member)))
            ahead += member.uncompressed_bytes
        while waiting:
            self._write(waiting.popleft(), writer)
        if layout.rewrite_record or self._stripped:
            self._hashes[own] = RecordEntry("", None)
            writer.add_bytes(own, render_record(self._hashes))
        else:
            self._splice(own, dict(layout.shipped)[own], writer)
        return tuple(self._stripped)

    def _begin(self, member: WheelMember) -> "Future[Transformed] | None":
        if is_splicable(member, self._settings):
            return None
        if self._threads is not None:
            return self._threads.submit(self._transform, member)
        done: Future[Transformed] = Future()
        done.set_result(self._transform(member))
        return done

    def _transform(self, member: WheelMember) -> Transformed:
        with _AT_ONCE.reserve(member.uncompressed_bytes):
            if member.uncompressed_bytes < LARGE_BYTES:
                return self._smaller(member, Residents())
            with little_resident() as residents:
                return self._smaller(member, residents)

    def _smaller(self, member: WheelMember, residents: Residents) -> Transformed:
        data = contents(self._source, member, self._folder)
        residents.add(data)

        if self._settings.strip and not is_sealed(member.name, self._names):
            room = _MappedRoom(self._folder, residents)
            stripped = strip(data, room=room)
            if stripped is not None:
                # The first form must leave before the second one is deflated.
                del data
                return deflate_stripped(stripped, self._settings, room=room)
        return deflate_again(member, data, self._settings)

    def _write(self, item: _Item, writer: PayloadWriter) -> None:
        name, member, result = item
        done = result.result() if result is not None else Transformed()
        if done.stream is None:
            self._splice(name, member, writer)
            return
        writer.add_stream(name, done.stream, executable=member.executable)
        if done.record_hash is None:
            self._note(name, member)
        else:
            self._hashes[name] = RecordEntry(done.record_hash, done.stream.uncompressed_bytes)
            self._stripped.append((name, done.stripped_bytes))

    def _splice(self, name: str, member: WheelMember, writer: PayloadWriter) -> None:
        facts = Record(
            b"",
            member.method,
            member.crc32,
            member.compressed_bytes,
            member.uncompressed_bytes,
            member.executable,
            0,
        )
        writer.add_chunks(name, facts, stored_chunks(self._source, member))
        self._note(name, member)

    def _note(self, name: str, member: WheelMember) -> None:
        text = self._wheel.record.get(member.name, "")
        self._hashes[name] = RecordEntry(text, member.uncompressed_bytes)
