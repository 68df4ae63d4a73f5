"""Large files are worked on first and wait in a spool; the payload shows nothing of it."""

import os
import threading
import zipfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.assembling import admitted
from support.wheel_builder import build_wheel

from packager.model.prune import SlimSettings
from packager.slim.mapped import LARGE_BYTES
from packager.slim.payload import write_payload
from packager.slim.spool import Spool

RELEASE = SlimSettings(level=1, recompress=True)


def test_streams_of_several_threads_come_back_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    streams = [os.urandom(1_500_000), b"", b"short"]
    with ThreadPoolExecutor(3) as threads:
        kept = list(threads.map(spool.keep, streams))
    assert [len(each) for each in kept] == [len(each) for each in streams]
    assert [b"".join(each.chunks()) for each in kept] == streams
    assert list(tmp_path.iterdir()) == []
    spool.close()
    with pytest.raises(OSError, match="descriptor"):
        list(kept[0].chunks())


def test_a_payload_does_not_depend_on_who_made_its_large_files(tmp_path: Path) -> None:
    block = os.urandom(64) + bytes(4096)
    files = {
        "demo/a.bin": block * (LARGE_BYTES // len(block) + 1),
        "demo/b.py": b"B = 1\n" * 99,
        "demo/c.bin": block * (LARGE_BYTES // len(block) + 50),
    }
    wheel = build_wheel(tmp_path, "demo", "1.0", files=files, level=1)
    made = []
    with ThreadPoolExecutor(2) as threads:
        for number, given in enumerate((None, threads)):
            path = tmp_path / f"{number}.zip"
            write_payload(wheel, admitted(wheel), path, key="k", settings=RELEASE, threads=given)
            made.append(path.read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert [name for name in archive.namelist() if name in files] == sorted(files)
        assert {name: archive.read(name) for name in files} == files


class CancelledWhenAwaited(ThreadPoolExecutor):
    """Threads that take back all work that waits, as soon as somebody waits for a result."""

    def submit(self, *args: Any, **values: Any) -> Future[Any]:
        future = super().submit(*args, **values)

        def result(timeout: float | None = None) -> object:
            self.shutdown(wait=False, cancel_futures=True)
            return Future.result(future, timeout)

        future.result = result  # type: ignore[method-assign]
        return future


def test_a_failure_waits_for_the_threads_that_read_the_wheel(tmp_path: Path) -> None:
    block = os.urandom(64) + bytes(4096)
    files = {f"demo/{name}.bin": block * (LARGE_BYTES // len(block) + 1) for name in "ab"}
    wheel = build_wheel(tmp_path, "demo", "1.0", files=files, level=1)
    with CancelledWhenAwaited(1) as threads:
        held = threading.Event()
        threads.submit(held.wait, 60)
        with pytest.raises(BaseException, match=r"^$") as caught:
            write_payload(
                wheel, admitted(wheel), tmp_path / "p", key="k", settings=RELEASE, threads=threads
            )
        held.set()
    assert type(caught.value).__name__ == "CancelledError"
