"""Which distributions leave the zip, so that it fits and starts fastest. Pure.

Two questions, each exact. To /tmp: the set with the least cold start whose leaving makes the rest
fit and which /tmp can hold. To layers: the shares of at most five zips that leave the least to
upload again with every change of the code.
"""

from collections.abc import Sequence
from typing import NamedTuple

from packager.model.plan import Item
from packager.place.rates import Rates
from packager.place.selection import Candidate
from packager.place.solving import solve
from packager.place.start_up import CODECS, Unpacking, unpacking

_MICROSECONDS = 1_000_000
BOOTSTRAP_BYTES = 24 * 1024
"""Room for what an offloading bundle carries beside the archives: bootstrap, index, metadata."""

ARCHIVE_DOUBT = 1.06
"""Nested archives of the five workloads were up to 5 % larger than foreseen: what is chosen fits
even so."""


class Offload(NamedTuple):
    """What goes to /tmp, by which codec, its prices in the order of `items`, and the objective."""

    items: tuple[Item, ...]
    codec: str
    unpackings: tuple[Unpacking, ...]
    cost_microseconds: int
    proved: bool

    @property
    def tmp_bytes(self) -> int:
        """What /tmp holds when everything is unpacked."""
        return sum(item.uncompressed_bytes for item in self.items)


def least_offload(
    items: Sequence[Item],
    rates: Rates,
    *,
    fetched: bool,
    uncompressed_excess: int,
    compressed_excess: int,
    tmp_bytes: int,
    codecs: Sequence[str] = CODECS[:2],
) -> Offload | None:
    """Return the set of `items` to offload with the least cold start, over all `codecs`.

    Objective: the microseconds of unpacking (and fetching) while starting; what start-up does not
    need counts a share of it, `late_use_share`. Limits: both excesses (bytes, where positive)
    leave the bundle, in which a nested archive counts its own bytes, and /tmp holds what is
    unpacked. Equal costs go to the earlier codec. None when no set will do.
    """
    found: list[Offload] = []
    for codec in codecs:
        prices = [unpacking(item, codec, rates, fetched=fetched) for item in items]
        candidates = [
            _candidate(item, price, rates, fetched=fetched)
            for item, price in zip(items, prices, strict=True)
        ]
        # An excess that is none must not oblige anything to leave, nor bring anything along.
        slack = round(sum(price.archive_bytes for price in prices) * ARCHIVE_DOUBT)
        limits = [
            -excess - BOOTSTRAP_BYTES if excess > 0 else slack
            for excess in (uncompressed_excess, compressed_excess)
        ]
        chosen = solve(candidates, [*limits, tmp_bytes])
        if chosen is not None:
            moved = tuple(items[i] for i in chosen.taken)
            unpackings = tuple(prices[i] for i in chosen.taken)
            found.append(Offload(moved, codec, unpackings, -chosen.value, chosen.proved))
    return min(found, key=lambda offload: offload.cost_microseconds, default=None)


def _candidate(item: Item, price: Unpacking, rates: Rates, *, fetched: bool) -> Candidate:
    packed = 0 if fetched else round(price.archive_bytes * ARCHIVE_DOUBT)
    share = 1.0 if item.starts else rates["late_use_share"]
    uses = {
        0: packed - item.uncompressed_bytes,
        1: packed - item.compressed_bytes,
        2: item.uncompressed_bytes,
    }
    return Candidate(-round(price.seconds * share * _MICROSECONDS) - 1, uses)


def share_among_layers(
    items: Sequence[Item], *, bins: int, bin_bytes: int
) -> tuple[tuple[tuple[Item, ...], ...], bool]:
    """Share `items` among at most `bins` zips of less than `bin_bytes` compressed bytes each.

    Objective: the most compressed bytes in layers. First-fit with the largest first is tried
    first: when it places everything, nothing can be better, and as few zips as it needs are used.
    Returns the shares and whether nothing better exists.
    """
    for count in range(1, bins + 1):
        shares = _first_fit(items, count, bin_bytes)
        if shares is not None:
            return shares, True
    candidates, places = [], []
    for index, item in enumerate(items):
        for place in range(bins):
            uses = {place: item.compressed_bytes, bins + index: 1}
            candidates.append(Candidate(item.compressed_bytes, uses))
            places.append((index, place))
    found = solve(candidates, [bin_bytes - 1 - 22] * bins + [1] * len(items))
    if found is None:
        return (), True
    shared: list[list[Item]] = [[] for _ in range(bins)]
    for taken in found.taken:
        index, place = places[taken]
        shared[place].append(items[index])
    return tuple(tuple(share) for share in shared if share), found.proved


def _first_fit(
    items: Sequence[Item], bins: int, bin_bytes: int
) -> tuple[tuple[Item, ...], ...] | None:
    shares: list[list[Item]] = [[] for _ in range(bins)]
    left = [bin_bytes - 1 - 22] * bins
    for item in sorted(items, key=lambda i: (-i.compressed_bytes, i.name)):
        place = next((p for p in range(bins) if item.compressed_bytes <= left[p]), None)
        if place is None:
            return None
        shares[place].append(item)
        left[place] -= item.compressed_bytes
    return tuple(tuple(sorted(share, key=lambda i: i.name)) for share in shares if share)
