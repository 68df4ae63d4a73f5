"""Every way to make an artifact fit, priced and ranked. Pure.

Ranked: what is possible first; then the cold start at the function's memory size, in steps of a
quarter of a second, where a figure that is only quoted earns no credit over today's start; then
dollars; then how much changes, which is the place in `WAYS` and what its riskiest trim adds to
that; then how much is set and moved.
"""

from collections.abc import Sequence
from typing import Any

from packager.model.plan import Item, Plan, Situation, Trim, Way
from packager.place.offloading import least_offload, share_among_layers
from packager.place.pricing import FREE_TMP_MIB, Move, Problem, after, price, storage_mib
from packager.place.trims import harmless, least_trims, saved

WAYS: tuple[Way, ...] = ("trim", "upload", "layers", "nested", "s3", "image")

_MIB = 1024 * 1024
_LARGEST_TMP_MIB = 10_240
_LAYER_PREFIX = "python/"
_STEP_SECONDS = 0.25
_RISK_AS_CHANGE = (0.0, 0.0, 0.5, 1.5, 3.5)
"""By the risk of a trim: a feature lost weighs more than any way but an image."""
LAYER_TABLES = "[layers]"
"""The key under which a plan's settings hold tables of `[tool.lpack.layers]`."""


def make_plans(problem: Problem) -> tuple[Plan, ...]:
    """Return all plans that say something, the best first; empty when the artifact fits.

    A plan that AWS forbids is among them, last and with the rule, because people ask for it.
    """
    if problem.situation.fits:
        return ()
    plans = [
        *_trim_plans(problem),
        *_upload_plan(problem),
        *_layer_plan(problem),
        *_tmp_plans(problem),
        _image_plan(problem),
    ]
    plans = [plan for plan in plans if plan.fits]
    memory, today = problem.situation.circumstances.memory_mb, price(problem, Move("trim", ""))
    return tuple(sorted(plans, key=lambda plan: _rank(plan, today, memory)))


def _rank(plan: Plan, today: Plan, memory_mb: int) -> tuple[Any, ...]:
    seconds = _seconds(plan, memory_mb)
    if plan.start_confidence == "quoted":
        seconds = max(seconds, _seconds(today, memory_mb))
    steps = round(seconds / _STEP_SECONDS)
    riskiest = max((trim.risk for trim in plan.trims), default=0)
    change = WAYS.index(plan.way) + _RISK_AS_CHANGE[riskiest]
    effort = len(plan.settings) + len(plan.moved)
    return (not plan.possible, steps, plan.monthly_dollars, change, effort)


def _seconds(plan: Plan, memory_mb: int) -> float:
    """Return the start at the nearest memory size; what comes at first use counts a tenth."""
    start = min(plan.starts, key=lambda each: (abs(each.memory_mb - memory_mb), each.memory_mb))
    return start.seconds + start.late_seconds * 0.1


def _trim_plans(problem: Problem) -> list[Plan]:
    trims, proved = least_trims(
        problem.trims,
        uncompressed_excess=problem.situation.uncompressed_excess,
        compressed_excess=problem.situation.compressed_excess,
    )
    if not trims:
        return []
    title = f"trim: {_titles(trims)}"
    return [price(problem, Move("trim", title, trims=trims, proved=proved))]


def _upload_plan(problem: Problem) -> list[Plan]:
    """Upload through S3: it helps the 50 MiB of the API and nothing else."""
    trims = _trims_for_unzipped(problem)
    if not problem.situation.compressed_excess or trims is None:
        return []
    move = Move(
        "upload",
        _after_trimming("upload through S3", trims),
        trims=trims,
        settings={"upload": "s3"},
        notes=("the object lies in the function's Region; start-up is the same",),
        direct=False,
    )
    return [price(problem, move)]


def _layer_plan(problem: Problem) -> list[Plan]:
    """Share out among layers: each is below 50 MiB zipped, together they count as before."""
    situation, trims = problem.situation, _trims_for_unzipped(problem)
    if not problem.situation.compressed_excess or trims is None:
        return []
    shares, proved = share_among_layers(
        [_in_layer(item) for item in after(situation.items, trims)],
        bins=max(0, situation.most_layers - situation.attached_layers),
        bin_bytes=situation.zipped_limit,
    )
    if not shares:
        return []
    names = tuple(tuple(item.name for item in share) for share in shares)
    moved = tuple(sorted(name for share in names for name in share))
    tables = {f"deps-{n}": {"distributions": list(share)} for n, share in enumerate(names, 1)}
    title = f"{_many(len(moved), 'distribution')} in {_many(len(shares), 'layer')}"
    move = Move(
        "layers",
        _after_trimming(title, trims),
        trims=trims,
        moved=moved,
        bins=names,
        settings={"layers": list(tables), LAYER_TABLES: tables},
        notes=("layers count in full against the 250 MiB: they help uploads, not that limit",),
        proved=proved,
    )
    return [price(problem, move)]


def _tmp_plans(problem: Problem) -> list[Plan]:
    """Unpack at start: nested in the zip, or from S3; without and with trims."""
    ways: tuple[Way, ...] = ("nested", "s3")
    # As it is; after what nothing can break; and after all that costs no feature.
    tried: list[tuple[Trim, ...]] = [()]
    for most_risk in (2, 3):
        trims = harmless(problem.trims, most_risk=most_risk)
        if trims not in tried:
            tried.append(trims)
    if not problem.situation.uncompressed_excess and not _zip_binds(problem):
        return []
    plans = [_tmp_plan(problem, way, trims) for way in ways for trims in tried]
    return [plan for plan in plans if plan is not None]


def _tmp_plan(problem: Problem, way: Way, trims: tuple[Trim, ...]) -> Plan | None:
    situation, (unzipped, zipped, _) = problem.situation, saved(trims)
    tmp_mib = situation.circumstances.tmp_mib or _largest_tmp(situation)
    offload = least_offload(
        after(situation.items, trims),
        problem.rates,
        fetched=way == "s3",
        uncompressed_excess=problem.situation.uncompressed_excess - unzipped,
        compressed_excess=problem.situation.compressed_excess - zipped
        if _zip_binds(problem)
        else 0,
        tmp_bytes=tmp_mib * _MIB,
        codecs=problem.codecs,
    )
    if offload is None or not offload.items:
        return None
    names = [item.name for item in offload.items]
    where = "from S3" if way == "s3" else "nested in the zip"
    settings: dict[str, Any] = {
        "offload": names,
        "offload-from": "s3" if way == "s3" else "zip",
        "offload-codec": offload.codec,
    }
    if way == "s3":
        settings["offload-url"] = "s3://BUCKET/PREFIX"
    if storage_mib(offload) > FREE_TMP_MIB:
        settings["ephemeral-storage"] = storage_mib(offload)
    move = Move(
        way,
        _after_trimming(f"{_listed(names)} to /tmp at start, {where} ({offload.codec})", trims),
        trims=trims,
        moved=tuple(names),
        settings=settings,
        offload=offload,
        proved=offload.proved,
    )
    return _uploaded(problem, move)


def _uploaded(problem: Problem, move: Move) -> Plan:
    """Price `move`; when only the direct upload is in its way, it goes through S3."""
    plan = price(problem, move)
    if plan.fits or _zip_binds(problem):
        return plan
    through = move._replace(
        title=f"{move.title}; upload through S3",
        settings={**move.settings, "upload": "s3"},
        direct=False,
    )
    return price(problem, through)


def _image_plan(problem: Problem) -> Plan:
    """Ship an image: ten GiB, base included."""
    move = Move(
        "image",
        "container image",
        settings={"package-type": "image"},
        notes=("images are loaded lazily; the first start after a change is slower",),
        factor=problem.rates["image_start_factor"],
    )
    return price(problem, move)


def _trims_for_unzipped(problem: Problem) -> tuple[Trim, ...] | None:
    """Return the least trims that make it fit unzipped, none when it does; None when none can."""
    if not problem.situation.uncompressed_excess:
        return ()
    trims, _ = least_trims(
        problem.trims,
        uncompressed_excess=problem.situation.uncompressed_excess,
        compressed_excess=0,
    )
    return trims or None


def _zip_binds(problem: Problem) -> bool:
    """Tell whether the zipped limit holds however the zip is uploaded."""
    return problem.situation.circumstances.kind == "edge"


def _largest_tmp(situation: Situation) -> int:
    small = situation.circumstances.snapstart or situation.circumstances.kind == "edge"
    return FREE_TMP_MIB if small else _LARGEST_TMP_MIB


def _in_layer(item: Item) -> Item:
    """Return `item` as a layer's zip holds it: every name is longer, in both headers."""
    longer = 2 * len(_LAYER_PREFIX) * item.entries
    return item._replace(compressed_bytes=item.compressed_bytes + longer)


def _after_trimming(title: str, trims: Sequence[Trim]) -> str:
    return f"{title}, after trimming: {_titles(trims)}" if trims else title


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _titles(trims: Sequence[Trim]) -> str:
    return _listed([trim.title for trim in trims])


def _listed(names: Sequence[str], *, most: int = 4) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
