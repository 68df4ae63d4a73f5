"""One way to make an artifact fit becomes a plan: its bytes, starts, /tmp, dollars, rules. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from packager.model.plan import Confidence, Item, Plan, Situation, Taken, Trim, Way
from packager.place.forbidden import objections
from packager.place.offloading import Offload
from packager.place.rates import Rates
from packager.place.start_up import Unpacking, import_seconds, starts, tmp_dollars
from packager.place.trims import saved

_MIB = 1024 * 1024
FREE_TMP_MIB = 512
"""What every function has of /tmp without a price (Developer Guide, gettingstarted-limits)."""


class Problem(NamedTuple):
    """What plans are made from; `codecs` are those that the runtime's Python can read."""

    situation: Situation
    trims: tuple[Trim, ...]
    rates: Rates
    codecs: tuple[str, ...] = ("deflate", "xz")
    image_base_bytes: int = 0


class Move(NamedTuple):
    """What a plan does, before anything is priced; the fields are those of `Plan`.

    `direct` tells that the 50 MiB of a direct upload still hold. `factor` scales the start of
    runtime and imports.
    """

    way: Way
    title: str
    trims: tuple[Trim, ...] = ()
    moved: tuple[str, ...] = ()
    bins: tuple[tuple[str, ...], ...] = ()
    settings: dict[str, Any] = {}  # noqa: RUF012 -- never changed, only merged
    notes: tuple[str, ...] = ()
    offload: Offload | None = None
    direct: bool = True
    factor: float = 1.0
    proved: bool = True


def price(problem: Problem, move: Move) -> Plan:
    """Price `move`: bytes, headroom, starts, /tmp, and what speaks against it."""
    situation, rates, offload = problem.situation, problem.rates, move.offload
    unzipped, zipped, sure = _bytes_after(problem, move)
    fits, headroom = _verdict(problem, move, unzipped, zipped)
    at_start, late = _unpackings(offload)
    tmp_mib = storage_mib(offload) if offload is not None else FREE_TMP_MIB
    circumstances = situation.circumstances
    return Plan(
        way=move.way,
        title=move.title,
        trims=move.trims,
        moved=move.moved,
        bins=move.bins,
        uncompressed_bytes=unzipped,
        compressed_bytes=zipped,
        bytes_confidence=sure,
        fits=fits,
        headroom_bytes=headroom,
        starts=starts(situation, at_start, late, rates, factor=move.factor),
        start_confidence=_start_confidence(problem, move.way),
        tmp_bytes=offload.tmp_bytes if offload is not None else 0,
        tmp_mib=tmp_mib,
        monthly_dollars=tmp_dollars(
            tmp_mib,
            circumstances.invocations_per_month,
            circumstances.milliseconds_per_invocation,
            rates,
        ),
        objections=objections(move.way, circumstances, tmp_mib=tmp_mib),
        notes=move.notes,
        settings={**_trim_settings(move.trims), **move.settings},
        proved=move.proved,
        archives=_archives(move),
    )


def _archives(move: Move) -> tuple[tuple[str, int], ...]:
    if move.offload is None or move.way != "nested":
        return ()
    pairs = zip(move.offload.items, move.offload.unpackings, strict=True)
    return tuple((item.name, unpacking.archive_bytes) for item, unpacking in pairs)


def _bytes_after(problem: Problem, move: Move) -> tuple[int, int, Confidence]:
    """Return (unzipped, zipped) bytes as AWS counts them, and how sure they are."""
    situation, offload = problem.situation, move.offload
    less_unzipped, less_zipped, sure = saved(move.trims)
    unzipped = situation.uncompressed_bytes - less_unzipped
    zipped = situation.compressed_bytes - less_zipped
    if move.way == "image":
        return unzipped + problem.image_base_bytes, zipped, "modelled"
    gone = [item for item in after(situation.items, move.trims) if item.name in set(move.moved)]
    zipped -= sum(item.compressed_bytes for item in gone)
    if move.way == "layers":
        return unzipped, zipped, sure
    if offload is not None:
        unzipped -= sum(item.uncompressed_bytes for item in gone)
        if move.way == "nested":
            packed = sum(each.archive_bytes for each in offload.unpackings)
            unzipped, zipped = unzipped + packed, zipped + packed
        sure = "modelled"
    return unzipped, zipped, sure


def _verdict(problem: Problem, move: Move, unzipped: int, zipped: int) -> tuple[bool, int]:
    """Return whether it fits, and the bytes left under the limit that is nearest in shares."""
    situation = problem.situation
    if move.way == "image":
        left = 10 * 1024**3 - unzipped
        return left >= 0, left
    lefts = [(situation.unzipped_limit - 1 - unzipped, situation.unzipped_limit)]
    circumstances = situation.circumstances
    if (move.direct and circumstances.upload == "direct") or circumstances.kind == "edge":
        lefts.append((situation.zipped_limit - 1 - zipped, situation.zipped_limit))
    left, _ = min(lefts, key=lambda pair: pair[0] / pair[1])
    return left >= 0, left


def _unpackings(offload: Offload | None) -> tuple[list[Unpacking], list[Unpacking]]:
    if offload is None:
        return [], []
    pairs = list(zip(offload.items, offload.unpackings, strict=True))
    return [p for i, p in pairs if i.starts], [p for i, p in pairs if not i.starts]


def _start_confidence(problem: Problem, way: Way) -> Confidence:
    if way == "image":
        return problem.rates.confidence("image_start_factor")
    _, imported = import_seconds(problem.situation, problem.rates)
    return "modelled" if way in ("nested", "s3") else imported


def storage_mib(offload: Offload) -> int:
    """Return the ephemeral storage to configure, in MiB: in steps of 64, and some room.

    While one distribution is written its archive may lie beside it, when it came from S3.
    """
    largest = max((each.archive_bytes for each in offload.unpackings), default=0)
    wanted = (offload.tmp_bytes + largest) / _MIB + 32
    return max(FREE_TMP_MIB, -(-round(wanted) // 64) * 64)


def after(items: Sequence[Item], trims: Sequence[Trim]) -> tuple[Item, ...]:
    """Return the items as they are after `trims`: smaller, or gone."""
    gone = {name for trim in trims if trim.removes for name in trim.touches}
    less: dict[str, list[Taken]] = {}
    for trim in trims:
        for taken in trim.takes:
            less.setdefault(taken.name, []).append(taken)
    result = []
    for item in items:
        if item.name in gone:
            continue
        takes = less.get(item.name, ())
        result.append(
            item._replace(
                uncompressed_bytes=max(
                    0, item.uncompressed_bytes - sum(t.uncompressed_bytes for t in takes)
                ),
                compressed_bytes=max(
                    0, item.compressed_bytes - sum(t.compressed_bytes for t in takes)
                ),
            )
        )
    return tuple(result)


def _trim_settings(trims: Sequence[Trim]) -> dict[str, Any]:
    """Merge what the trims set; lists and tables add up, of tiers the further one holds."""
    merged: dict[str, Any] = {}
    for trim in sorted(trims, key=lambda trim: (trim.risk, trim.id)):
        for key, value in trim.settings:
            known = merged.get(key)
            if isinstance(known, dict):
                merged[key] = {**known, **value}
            elif isinstance(known, list):
                merged[key] = [*known, *(each for each in value if each not in known)]
            else:
                merged[key] = value
    return merged
