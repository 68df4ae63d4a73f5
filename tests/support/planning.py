"""Situations to plan for, without building anything."""

from packager.model.plan import Circumstances, Item, Situation, Taken, Trim

MIB = 1024 * 1024
UNZIPPED_LIMIT = 262_144_000
ZIPPED_LIMIT = 52_428_800


def item(name: str, unzipped_mib: float, zipped_mib: float, **facts: object) -> Item:
    """A distribution of so many MiB."""
    known: dict[str, object] = {"entries": 100, **facts}
    return Item(
        name=name,
        version="1.0",
        uncompressed_bytes=round(unzipped_mib * MIB),
        compressed_bytes=round(zipped_mib * MIB),
        **known,  # type: ignore[arg-type]
    )


def situation(*items: Item, start_ms: float | None = 800.0, **circumstances: object) -> Situation:
    """A function that ships `items` and a little code."""
    return Situation(
        function="api",
        items=items,
        code=Item("", "", 3, 3000, 1500),
        circumstances=Circumstances(**circumstances),  # type: ignore[arg-type]
        unzipped_limit=UNZIPPED_LIMIT,
        zipped_limit=ZIPPED_LIMIT,
        most_layers=5,
        start_ms=start_ms,
    )


def trim(name: str, distribution: str, mib: float, *, risk: int = 2, removes: bool = False) -> Trim:
    """Something that takes so many MiB off `distribution`, a third of it zipped."""
    taken = Taken(distribution, round(mib * MIB), round(mib * MIB / 3))
    return Trim(name, name, (taken,), "exact", risk, removes=removes, settings=((name, [True]),))
