"""What goes to /tmp or to layers: against brute force."""

import itertools
import random

import pytest
from support.planning import MIB, ZIPPED_LIMIT, item

from packager.model.plan import Item
from packager.place.offloading import (
    ARCHIVE_DOUBT,
    BOOTSTRAP_BYTES,
    least_offload,
    share_among_layers,
)
from packager.place.rates import shipped_rates
from packager.place.start_up import unpacking

RATES = shipped_rates()


def random_items(seed: int, count: int) -> list[Item]:
    """Distributions of which a few are large, as in real bundles."""
    chance = random.Random(seed)  # noqa: S311 -- no secret
    return [
        item(
            f"d{n}",
            unzipped := chance.lognormvariate(1.5, 1.4),
            unzipped * chance.uniform(0.2, 0.5),
            entries=chance.randint(5, 2000),
            starts=chance.random() < 0.8,
        )
        for n in range(count)
    ]


def brute_force(items: list[Item], excess: int, tmp_bytes: int, *, fetched: bool) -> int | None:
    """The least cost in microseconds over all sets and both codecs."""
    best = None
    for codec in ("deflate", "xz"):
        for bits in itertools.product((False, True), repeat=len(items)):
            moved = [each for bit, each in zip(bits, items, strict=True) if bit]
            prices = [unpacking(each, codec, RATES, fetched=fetched) for each in moved]
            gone = sum(each.uncompressed_bytes for each in moved)
            archives = [round(price.archive_bytes * ARCHIVE_DOUBT) for price in prices]
            back = 0 if fetched else sum(archives)
            if gone - back < excess + BOOTSTRAP_BYTES or gone > tmp_bytes:
                continue
            shares = [1.0 if each.starts else RATES["late_use_share"] for each in moved]
            cost = sum(
                round(p.seconds * s * 1_000_000) + 1 for p, s in zip(prices, shares, strict=True)
            )
            best = cost if best is None else min(best, cost)
    return best


@pytest.mark.parametrize("fetched", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_the_offload_costs_what_brute_force_finds(seed: int, *, fetched: bool) -> None:
    items = random_items(seed, 9)
    total = sum(each.uncompressed_bytes for each in items)
    for share in (0.1, 0.4):
        excess, tmp_bytes = round(total * share), round(total * 0.8)
        found = least_offload(
            items,
            RATES,
            fetched=fetched,
            uncompressed_excess=excess,
            compressed_excess=0,
            tmp_bytes=tmp_bytes,
        )
        expected = brute_force(items, excess, tmp_bytes, fetched=fetched)
        assert (found.cost_microseconds if found else None) == expected


def test_nothing_is_moved_when_tmp_is_too_small() -> None:
    found = least_offload(
        [item("large", 300, 100)],
        RATES,
        fetched=True,
        uncompressed_excess=60 * MIB,
        compressed_excess=0,
        tmp_bytes=200 * MIB,
    )
    assert found is None


def test_what_start_up_does_not_need_goes_first() -> None:
    items = [item("needed", 80, 30), item("later", 90, 30, starts=False)]
    found = least_offload(
        items,
        RATES,
        fetched=True,
        uncompressed_excess=50 * MIB,
        compressed_excess=0,
        tmp_bytes=512 * MIB,
    )
    assert found is not None
    assert [each.name for each in found.items] == ["later"]


def test_layers_take_everything_when_it_fits() -> None:
    items = [item(f"d{n}", 60, 20) for n in range(5)]
    shares, proved = share_among_layers(items, bins=5, bin_bytes=ZIPPED_LIMIT)
    assert proved
    assert sorted(len(share) for share in shares) == [1, 2, 2]
    assert sorted(each.name for share in shares for each in share) == [i.name for i in items]


def test_layers_take_as_much_as_can_be() -> None:
    # Two layers of 50 MiB hold 30 + 20 and 25 + 25, which first-fit does not find.
    items = [item(f"d{n}", 1, size) for n, size in enumerate((29.9, 24.9, 24.9, 20, 19))]
    shares, proved = share_among_layers(items, bins=2, bin_bytes=ZIPPED_LIMIT)
    best = max(
        sum(each.compressed_bytes for each, place in zip(items, places, strict=True) if place < 2)
        for places in itertools.product(range(3), repeat=len(items))
        if all(
            sum(i.compressed_bytes for i, p in zip(items, places, strict=True) if p == bin_)
            < ZIPPED_LIMIT - 22
            for bin_ in range(2)
        )
    )
    assert proved
    assert sum(each.compressed_bytes for share in shares for each in share) == best
    for share in shares:
        assert sum(each.compressed_bytes for each in share) < ZIPPED_LIMIT
