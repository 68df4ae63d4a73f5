"""Measuring the rates of the cost model on this machine, within a few seconds."""

import hashlib
import lzma
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

_SAMPLE_BYTES = 12 * 1024 * 1024
_XZ_SAMPLE_BYTES = 3 * 1024 * 1024
_FILES = 400
_FILE_BYTES = 4096
_ROUNDS = 3


def sample_of(contents: Iterable[bytes]) -> bytes:
    """Return up to 12 MiB of real file contents to measure with."""
    sample = bytearray()
    for content in contents:
        sample += content
        if len(sample) >= _SAMPLE_BYTES:
            break
    return bytes(sample[:_SAMPLE_BYTES])


def measure_rates(sample: bytes) -> dict[str, float]:
    """Return the measured constants by name, from `sample`, which should be what is shipped.

    Each is the best of three runs: other programs only ever make them worse.
    """
    deflated = zlib.compress(sample, 6)
    part = sample[:_XZ_SAMPLE_BYTES]
    packed = lzma.compress(part)
    creating, writing = _files(sample)
    return {
        "inflate_bytes_per_second": _rate(len(sample), lambda: zlib.decompress(deflated)),
        "xz_bytes_per_second": _rate(len(part), lambda: lzma.decompress(packed)),
        "sha256_bytes_per_second": _rate(len(sample), lambda: hashlib.sha256(sample).digest()),
        "write_bytes_per_second": writing,
        "file_seconds": creating,
        "archive_xz_ratio": min(1.0, len(packed) / max(1, len(zlib.compress(part, 9)))),
    }


def _rate(count: int, work: Callable[[], object]) -> float:
    return count / max(1e-9, min(_seconds(work) for _ in range(_ROUNDS)))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _files(sample: bytes) -> tuple[float, float]:
    """Return the seconds that creating a file takes, and the bytes a second that writing does."""
    small = sample[:_FILE_BYTES]
    best_small, best_large = float("inf"), float("inf")
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory(prefix="lpack-") as folder:
            place = Path(folder)
            best_small = min(
                best_small,
                _seconds(lambda: [(place / f"{n}.py").write_bytes(small) for n in range(_FILES)]),  # noqa: B023 -- called at once
            )
            best_large = min(best_large, _seconds(lambda: (place / "large").write_bytes(sample)))  # noqa: B023 -- likewise
    rate = len(sample) / max(1e-9, best_large)
    return max(1e-7, best_small / _FILES - len(small) / rate), rate
