"""What a cold start takes: a model of few terms, all of them data. Pure.

    start = sandbox + runtime + import + unpacking + fetching

Init has the whole processor whatever the memory is; past its 10 seconds it is run again inside
the first invocation, at the speed that the memory size pays for. What was unpacked by then stays
in /tmp (Lambda Developer Guide, lambda-runtime-environment).
"""

from collections.abc import Collection
from typing import NamedTuple

from packager.model.plan import MEMORY_SIZES_MB, Confidence, Item, Situation, Start
from packager.place.rates import Rates

CODECS = ("deflate", "xz", "zstd")
_INCOMPRESSIBLE = 0.9


class Unpacking(NamedTuple):
    """What bringing one distribution to /tmp takes, in seconds of work and of network."""

    archive_bytes: int
    work_seconds: float
    network_seconds: float

    @property
    def seconds(self) -> float:
        """The time without anything beside it."""
        return self.work_seconds + self.network_seconds


def archive_bytes(item: Item, codec: str, rates: Rates) -> int:
    """Return how large the archive of `item` becomes; of deflate its own streams are the figure.

    What deflate cannot make smaller, such as code for graphics processors, no codec can.
    """
    if codec == "deflate" or item.compressed_bytes > item.uncompressed_bytes * _INCOMPRESSIBLE:
        return item.compressed_bytes
    return round(item.compressed_bytes * rates[f"archive_{codec}_ratio"])


def unpacking(item: Item, codec: str, rates: Rates, *, fetched: bool) -> Unpacking:
    """Price the unpacking of `item`; `fetched` adds the way from S3."""
    packed = archive_bytes(item, codec, rates)
    rate = "inflate_bytes_per_second" if codec == "deflate" else f"{codec}_bytes_per_second"
    work = (
        item.uncompressed_bytes / rates[rate]
        + item.uncompressed_bytes / rates["write_bytes_per_second"]
        + packed / rates["sha256_bytes_per_second"]
        + item.entries * rates["file_seconds"]
    )
    network = 0.0
    if fetched:
        network = rates["s3_first_byte_seconds"] + packed / rates["s3_bytes_per_second"]
    return Unpacking(packed, work, network)


def import_seconds(situation: Situation, rates: Rates) -> tuple[float, Confidence]:
    """Return what importing the handler takes, measured when it was, and how sure that is."""
    if situation.start_ms is not None:
        return situation.start_ms / 1000, "measured"
    files = situation.code.entries + sum(item.entries for item in situation.items if item.starts)
    return files * rates["import_seconds_per_module"], "modelled"


def starts(
    situation: Situation,
    moved: Collection[Unpacking],
    late: Collection[Unpacking],
    rates: Rates,
    *,
    factor: float = 1.0,
) -> tuple[Start, ...]:
    """Return the cold start at each of `MEMORY_SIZES_MB`.

    `moved` is unpacked while starting, `late` at first use. `factor` scales what the runtime and
    the imports take, for images.
    """
    imported, _ = import_seconds(situation, rates)
    unpacked = sum(each.work_seconds for each in moved)
    fetched = sum(each.network_seconds for each in moved)
    running = (rates["runtime_seconds"] + imported) * factor / rates["init_speed"]
    init = running + unpacked / rates["init_speed"] + fetched
    result = []
    for memory in MEMORY_SIZES_MB:
        speed = min(1.0, memory / rates["full_vcpu_memory_mb"])
        seconds = init
        if init > rates["init_limit_seconds"]:
            # Whole archives that were unpacked in time are not unpacked again.
            left = max(0.0, unpacked + fetched - rates["init_limit_seconds"])
            seconds = rates["init_limit_seconds"] + (running + left) / speed
        later = sum(each.work_seconds / speed + each.network_seconds for each in late)
        result.append(Start(memory, rates["sandbox_seconds"] + seconds, later))
    return tuple(result)


def tmp_dollars(tmp_mib: int, invocations: int, milliseconds: int, rates: Rates) -> float:
    """Return the monthly price of ephemeral storage above the 512 MiB that are free."""
    extra_gb = max(0, tmp_mib - 512) / 1024
    seconds = invocations * milliseconds / 1000
    return extra_gb * seconds * rates["tmp_dollars_per_gb_second"]
