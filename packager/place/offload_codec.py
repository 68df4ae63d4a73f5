"""Which codec starts fastest among those with which the zip fits. Pure.

The prices are the planner's (`data/rates.toml`). The bootstrap itself, sha256 and writing included,
unpacked scipy 1.18.1, pandas 2.3.2 and pyarrow 20 at 199 to 242 MB/s from deflate, 42 to 57 from xz
and 151 to 234 from zstd, on one shared processor (2026-11-25): the same order.
"""

from collections.abc import Sequence

from packager.model.offload import Codec
from packager.model.plan import Item
from packager.model.target import Target
from packager.place.rates import Rates
from packager.place.start_up import archive_bytes, unpacking

ZSTD_SINCE = (3, 14)
"""The first Python with `compression.zstd` (PEP 784)."""


def cheapest_codec(
    offloaded: Sequence[Item],
    rest: Sequence[Item],
    target: Target,
    rates: Rates,
    *,
    upload: str,
    nested: bool,
) -> Codec:
    """Return the codec for archives of `offloaded`; `rest` are the distributions that stay.

    The user's own code is not counted. When nothing fits, it is the one with the smallest
    archives.
    """
    usable: list[Codec] = ["deflate", "xz"]
    if target.python >= ZSTD_SINCE:
        usable.append("zstd")
    usable.sort(
        key=lambda codec: sum(
            unpacking(item, codec, rates, fetched=not nested).seconds for item in offloaded
        )
    )
    archives = {
        codec: sum(archive_bytes(item, codec, rates) for item in offloaded) for codec in usable
    }
    if not nested:
        return usable[0]
    zipped = sum(item.compressed_bytes for item in rest)
    unzipped = sum(item.uncompressed_bytes for item in rest)
    bounds = {"unzipped": unzipped, "zip_edge": zipped}
    if upload == "direct":
        bounds["zip_direct_upload"] = zipped
    room = min(limit.bytes - bounds[limit.name] for limit in target.limits if limit.name in bounds)
    fitting = [codec for codec in usable if archives[codec] < room]
    return fitting[0] if fitting else min(usable, key=archives.__getitem__)
