"""Large buffers keep their contents while their pages are let go."""

import hashlib
import os
import sys
import threading
from pathlib import Path

import pytest

from packager.model.deflating import deflated
from packager.slim.mapped import LARGE_BYTES, little_resident, mapped_copy, room_for

BYTES = 40 * 1024 * 1024


def resident_file_bytes() -> int:
    """Bytes of files that are mapped and in memory."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssFile:"))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="pages are let go on Linux only")
def test_what_is_written_and_deflated_meanwhile_is_not_touched(tmp_path: Path) -> None:
    block = os.urandom(65_536) * 16
    data = mapped_copy((block for _ in range(BYTES // len(block))), tmp_path)
    plain = deflated(bytes(data), 1)
    room = room_for(BYTES, tmp_path)
    before, highest, over = resident_file_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not over.wait(0.002):
            highest = max(highest, resident_file_bytes() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with little_resident() as residents:
        residents.add(data)
        residents.add(room)
        for start in range(0, BYTES, 1 << 20):
            room[start : start + (1 << 20)] = data[start : start + (1 << 20)]
            residents.shed()
        stream = deflated(room, 1)
    over.set()
    watcher.join()
    assert stream == plain
    assert hashlib.sha256(room).digest() == hashlib.sha256(data).digest()
    assert highest < BYTES


def test_small_room_is_plain_memory(tmp_path: Path) -> None:
    room = room_for(LARGE_BYTES - 1, tmp_path)
    assert isinstance(room, bytearray)
    with little_resident() as residents:
        residents.add(room)
        residents.add(b"bytes")
        residents.shed()
    assert not any(room)
    assert list(tmp_path.iterdir()) == []
