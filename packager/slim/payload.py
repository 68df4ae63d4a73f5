"""Write a verified wheel's payload: what ships of it, slimmed, under canonical headers.

Nothing of the wheel's headers is copied. Streams that slimming leaves alone are spliced as they
are; RECORD is written anew, and last, when it no longer describes what ships.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from pathlib import Path
from typing import NamedTuple, cast

from packager.errors import WheelRefused
from packager.model.canonical import DEFLATED, Record
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
from packager.slim.spool import Spool, Spooled
from packager.slim.transform import (
    Transformed,
    deflate_again,
    deflate_stripped,
    is_splicable,
    may_be_stripped,
    strip,
)

# Part of every payload's key: raise it when equal wheels would give other payload bytes.
RECIPE = 3

AS_IT_IS = SlimSettings(tier="off", strip=False, recompress=False)
"""Settings that ship a wheel as an installer would."""

# How many uncompressed bytes of one wheel's smaller files wait for the threads at once.
_AHEAD_BYTES = 4 * 1024 * 1024

# How many bytes of memory all wheels together take while they are transformed.
_AT_ONCE = ByteBudget(40 * 1024 * 1024)

# What little_resident() leaves of the two mappings of a large file.
_MAPPED_BYTES = 4 * 1024 * 1024


class _Item(NamedTuple):
    """A file to write; `ahead_bytes` are those of `_AHEAD_BYTES` it takes."""

    name: str
    member: WheelMember
    result: "Future[Transformed] | None"
    ahead_bytes: int


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
    """Writes the members of one wheel in their order, which is not that of the work.

    Large ones are transformed first and wait in a spool, smaller ones a bounded number of bytes
    ahead and in memory.
    """

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
        self._spool = Spool(folder)
        self._large: dict[str, Future[Transformed]] = {}
        self._waiting: deque[_Item] = deque()
        self._hashes: dict[str, RecordEntry] = {}
        self._stripped: list[tuple[str, int]] = []
        self._names = frozenset(member.name for member in wheel.members)

    def write(self, layout: Layout, writer: PayloadWriter) -> tuple[tuple[str, int], ...]:
        """Write all files; return (path, removed bytes) of the stripped ones."""
        own = f"{self._wheel.dist_info}/RECORD"
        shipped = [pair for pair in layout.shipped if pair[0] != own]
        try:
            self._begin_large([member for _, member in shipped])
            self._write_all(shipped, writer)
        finally:
            # After a failure a thread may still read the wheel and write to the spool.
            begun = [*self._large.values(), *(item.result for item in self._waiting)]
            wait([each for each in begun if each is not None and not each.cancel()])
            self._spool.close()
        if layout.rewrite_record or self._stripped:
            self._hashes[own] = RecordEntry("", None)
            writer.add_bytes(own, render_record(self._hashes))
        else:
            self._splice(own, dict(layout.shipped)[own], writer)
        return tuple(self._stripped)

    def _begin_large(self, members: Sequence[WheelMember]) -> None:
        """Begin with the largest: the others find room beside it, and nothing long comes last."""
        large = [each for each in members if each.uncompressed_bytes >= LARGE_BYTES]
        for member in sorted(large, key=lambda each: (-each.uncompressed_bytes, each.name)):
            if self._may_change(member):
                self._large[member.name] = self._submit(self._spooled, member)

    def _write_all(self, shipped: Sequence[tuple[str, WheelMember]], writer: PayloadWriter) -> None:
        waiting, ahead = self._waiting, 0
        for name, member in shipped:
            begun = self._large.get(member.name)
            smaller_bytes = member.uncompressed_bytes if begun is None else 0
            while waiting and ahead + smaller_bytes > _AHEAD_BYTES:
                item = waiting.popleft()
                ahead -= item.ahead_bytes
                self._write(item, writer)
            if begun is None and self._may_change(member):
                begun = self._submit(self._transform, member)
            waiting.append(_Item(name, member, begun, smaller_bytes))
            ahead += smaller_bytes
        while waiting:
            self._write(waiting.popleft(), writer)

    def _may_change(self, member: WheelMember) -> bool:
        """Tell, after a look at the first bytes where that helps, whether there is work to do."""
        if is_splicable(member, self._settings):
            return False
        if self._settings.recompress or member.method != DEFLATED:
            return True
        return may_be_stripped(inflated_head(self._source, member))

    def _submit(
        self, work: Callable[[WheelMember], Transformed], member: WheelMember
    ) -> "Future[Transformed]":
        if self._threads is not None:
            return self._threads.submit(work, member)
        done: Future[Transformed] = Future()
        done.set_result(work(member))
        return done

    def _spooled(self, member: WheelMember) -> Transformed:
        """Transform a large file, and leave its stream in the spool."""
        with _AT_ONCE.reserve(member.compressed_bytes + _MAPPED_BYTES):
            with little_resident() as residents:
                done = self._smaller(member, residents)
            stream = done.stream
            if stream is None or isinstance(stream.data, Spooled):
                return done
            return done._replace(stream=stream._replace(data=self._spool.keep(stream.data)))

    def _transform(self, member: WheelMember) -> Transformed:
        with _AT_ONCE.reserve(2 * member.uncompressed_bytes):
            return self._smaller(member, Residents())

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
        name, member = item.name, item.member
        done = item.result.result() if item.result is not None else Transformed()
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
