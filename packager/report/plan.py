"""Plans as text for people (100 columns) and as JSON. Pure."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from packager.model.plan import Plan, Situation
from packager.report.text import many, mib

PLAN_SCHEMA_VERSION = 1
_COLUMNS = 100
_BAR = 28
_ROWS = 8


def render_plans(
    situation: Situation, plans: Sequence[Plan], *, tomls: Sequence[str], memory_mb: int
) -> str:
    """Return the situation and every plan; `tomls` are their configurations to paste."""
    lines = _situation(situation)
    if situation.fits:
        return "\n".join([*lines, "  it fits: nothing has to be done"]) + "\n"
    lines += ["", *_sentence(plans)]
    for number, (plan, toml) in enumerate(zip(plans, tomls, strict=True), 1):
        lines += ["", *_plan(number, plan, toml, memory_mb)]
    if plans and plans[0].possible:
        lines += ["", *_picture(situation, plans[0])]
    return "\n".join(lines) + "\n"


def plans_document(
    situation: Situation, plans: Sequence[Plan], *, tomls: Sequence[str]
) -> dict[str, Any]:
    """Return the same as JSON-ready values (`plan.schema.json`); sizes in bytes."""
    return {
        "schema_version": PLAN_SCHEMA_VERSION,
        "function": situation.function,
        "uncompressed_bytes": situation.uncompressed_bytes,
        "compressed_bytes": situation.compressed_bytes,
        "unzipped_limit": situation.unzipped_limit,
        "zipped_limit": situation.zipped_limit,
        "circumstances": situation.circumstances._asdict(),
        "plans": [_document(plan, toml) for plan, toml in zip(plans, tomls, strict=True)],
    }


def _document(plan: Plan, toml: str) -> dict[str, Any]:
    return {
        "way": plan.way,
        "title": plan.title,
        "possible": plan.possible,
        "proved": plan.proved,
        "fits": plan.fits,
        "uncompressed_bytes": plan.uncompressed_bytes,
        "compressed_bytes": plan.compressed_bytes,
        "bytes_confidence": plan.bytes_confidence,
        "headroom_bytes": plan.headroom_bytes,
        "starts": [start._asdict() for start in plan.starts],
        "start_confidence": plan.start_confidence,
        "tmp_bytes": plan.tmp_bytes,
        "ephemeral_storage_mib": plan.tmp_mib,
        "monthly_dollars": round(plan.monthly_dollars, 4),
        "moved": list(plan.moved),
        "layers": [list(share) for share in plan.bins],
        "trims": [
            {
                "id": trim.id,
                "title": trim.title,
                "uncompressed_bytes": trim.uncompressed_bytes,
                "compressed_bytes": trim.compressed_bytes,
                "confidence": trim.confidence,
                "risk": trim.risk,
                "requirement": trim.requirement,
            }
            for trim in plan.trims
        ],
        "objections": [objection._asdict() for objection in plan.objections],
        "notes": list(plan.notes),
        "configuration": toml,
    }


def _situation(situation: Situation) -> list[str]:
    unzipped, zipped = situation.uncompressed_bytes, situation.compressed_bytes
    circumstances = situation.circumstances
    lines = [
        f"{situation.function} · {circumstances.runtime} · {circumstances.memory_mb:,} MB memory",
        f"  unzipped {mib(unzipped)} of {mib(situation.unzipped_limit)}: "
        + _against(unzipped, situation.unzipped_limit),
        f"  zipped   {mib(zipped)} of {mib(situation.zipped_limit)} by direct upload: "
        + _against(zipped, situation.zipped_limit),
    ]
    if situation.arranged:
        lines.insert(1, "  as built, with what is not in its zip, it fits; as one zip:")
    if situation.start_ms is None:
        lines.append("  import times are guessed; `lpack plan --calibrate` measures them")
    else:
        lines.append(f"  the handler's import takes {situation.start_ms:,.0f} ms (measured here)")
    return lines


def _against(amount: int, limit: int) -> str:
    over = amount - limit + 1
    return f"{mib(over)} too much ({over:,} bytes)" if over > 0 else f"{mib(-over)} left"


def _sentence(plans: Sequence[Plan]) -> list[str]:
    """Say in plain words when only an image is left, or nothing."""
    possible = [plan for plan in plans if plan.possible]
    if not possible:
        return ["  no plan fits: see what forbids each"]
    if all(plan.way == "image" for plan in possible):
        return ["  nothing but a container image fits"]
    return [
        f"  {many(len(possible), 'plan')} {'fits' if len(possible) == 1 else 'fit'}, best first"
    ]


def _plan(number: int, plan: Plan, toml: str, memory_mb: int) -> list[str]:
    mark = "" if plan.possible else "not possible: "
    lines = _wrapped(f"{number}. {mark}{plan.title}", first="  ", rest="     ")
    fits = f"{mib(plan.headroom_bytes)} left" if plan.fits else "does not fit"
    lines.append(
        f"     {mib(plan.uncompressed_bytes)} unzipped, {mib(plan.compressed_bytes)} zipped "
        f"({plan.bytes_confidence}), {fits}"
    )
    if plan.possible:
        lines += _price(plan, memory_mb)
    for objection in plan.objections:
        word = "forbidden" if objection.forbids else "note"
        lines += _wrapped(f"{word}: {objection.text} [{objection.source}]")
    lines += [line for note in plan.notes for line in _wrapped(f"note: {note}")]
    for trim in plan.trims:
        if trim.requirement is not None:
            lines += _wrapped(f"write {trim.title}, and lock again with --upgrade")
    if not plan.proved:
        lines.append("     a better choice may exist: the search was ended early")
    if plan.possible:
        lines += [f"       {line}" if line else "" for line in toml.rstrip().splitlines()]
    return lines


def _price(plan: Plan, memory_mb: int) -> list[str]:
    texts = [f"{start.seconds:.1f} s" for start in plan.starts]
    if len(set(texts)) == 1:
        starts = f"{texts[0]} at {plan.starts[0].memory_mb:,} to {plan.starts[-1].memory_mb:,} MB"
    else:
        pairs = zip(texts, plan.starts, strict=True)
        starts = " · ".join(f"{text} at {start.memory_mb:,}" for text, start in pairs) + " MB"
    lines = [f"     cold start {starts} ({plan.start_confidence})"]
    nearest = min(plan.starts, key=lambda start: abs(start.memory_mb - memory_mb))
    if nearest.late_seconds >= 0.05:
        lines.append(f"     and {nearest.late_seconds:.1f} s at first use of what start-up skips")
    if plan.tmp_bytes:
        lines.append(
            f"     /tmp: {mib(plan.tmp_bytes)} used, {plan.tmp_mib:,} MiB configured, "
            f"{_dollars(plan.monthly_dollars)} a month"
        )
    return lines


def _dollars(amount: float) -> str:
    if amount <= 0:
        return "nothing more"
    return f"${amount:,.2f}" if amount >= 0.005 else "less than a cent"


def _picture(situation: Situation, plan: Plan) -> list[str]:
    """Draw where the bytes are before and after the plan, the largest first."""
    less: dict[str, int] = {}
    for trim in plan.trims:
        for taken in trim.takes:
            less[taken.name] = less.get(taken.name, 0) + taken.uncompressed_bytes
    where = "layer" if plan.way == "layers" else "/tmp"  # noqa: S108 -- a word for people
    items = sorted(situation.items, key=lambda item: (-item.uncompressed_bytes, item.name))
    largest = items[0].uncompressed_bytes if items else 1
    lines = ["  where the bytes go (unzipped):   █ in the zip   ▒ moved   · trimmed"]
    for item in items[:_ROWS]:
        gone = min(less.get(item.name, 0), item.uncompressed_bytes)
        stays = item.uncompressed_bytes - gone
        full = max(1, round(item.uncompressed_bytes / largest * _BAR))
        left = round(full * stays / item.uncompressed_bytes) if item.uncompressed_bytes else 0
        moved = item.name in plan.moved
        bar = ("▒" if moved else "█") * left + "·" * (full - left)
        words = f"{mib(item.uncompressed_bytes)} → {mib(stays)}" if gone else mib(stays)
        words += f" in {where}" if moved and stays else ""
        lines.append(f"  {item.name[:26]:<27}{bar:<{_BAR + 2}}{words}")
    if len(items) > _ROWS:
        rest = sum(item.uncompressed_bytes for item in items[_ROWS:])
        lines.append(f"  {f'… {len(items) - _ROWS} more':<27}{'':<{_BAR + 2}}{mib(rest)}")
    return lines


def _wrapped(text: str, *, first: str = "     ", rest: str = "       ") -> list[str]:
    return wrap(
        text,
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def render_tried(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of what was predicted beside what was measured, one row for each plan."""
    lines = [
        "",
        f"  {'tried':<8}{'unzipped':>24}{'zipped':>24}{'start here':>22}",
    ]
    for row in rows:
        if row.get("why_not"):
            lines += _wrapped(f"{row['number']}. not built: {row['why_not']}", first="  ")
            continue
        lines.append(
            f"  {row['number']:<8}"
            f"{_pair(row['predicted_uncompressed_bytes'], row['uncompressed_bytes']):>24}"
            f"{_pair(row['predicted_compressed_bytes'], row['compressed_bytes']):>24}"
            f"{_seconds(row['predicted_init_seconds'], row['init_seconds']):>22}"
        )
    lines.append("  predicted → measured; starts without Lambda's own share")
    return "\n".join(lines) + "\n"


def _pair(predicted: int, measured: int) -> str:
    if predicted == measured:
        return f"{mib(measured)} exact"
    return f"{mib(predicted)} → {mib(measured)}"


def _seconds(predicted: float, measured: float | None) -> str:
    return f"{predicted:.2f} s" if measured is None else f"{predicted:.2f} → {measured:.2f} s"
