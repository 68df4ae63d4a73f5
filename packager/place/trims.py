"""Which trims make an artifact fit at the least risk. Pure.

Trims are facts that others worked out (rules, services, loosened pins); here they are chosen.
"""

from collections.abc import Sequence

from packager.model.plan import Confidence, Trim
from packager.place.selection import Candidate, Selected
from packager.place.solving import solve

_RISK_WEIGHT = 1_000_000
"""What a trim's risk counts beside the KiB it saves, of which at most a tenth of this counts."""


def least_trims(
    trims: Sequence[Trim], *, uncompressed_excess: int, compressed_excess: int
) -> tuple[tuple[Trim, ...], bool]:
    """Return the least risky trims that take off both excesses in bytes, and whether it is proved.

    The objective, in this order: the sum of 10^risk, then the bytes that leave (more is better).
    A distribution that leaves as a whole is trimmed in no other way. Empty when all trims together
    are not enough.
    """
    limits = [-max(0, uncompressed_excess), -max(0, compressed_excess)]
    conflicts = _conflicts(trims)
    candidates = []
    for index, trim in enumerate(trims):
        uses = {0: -trim.uncompressed_bytes, 1: -trim.compressed_bytes}
        uses |= {2 + row: 1 for row, pair in enumerate(conflicts) if index in pair}
        kib = min(trim.uncompressed_bytes // 1024, _RISK_WEIGHT // 10)
        candidates.append(Candidate(kib - 10**trim.risk * _RISK_WEIGHT, uses))
    found: Selected | None = solve(candidates, [*limits, *(1 for _ in conflicts)])
    if found is None:
        return (), True
    return tuple(trims[i] for i in found.taken), found.proved


def harmless(trims: Sequence[Trim], *, most_risk: int = 2) -> tuple[Trim, ...]:
    """Return the trims that take bytes unzipped at no more than `most_risk`, the largest first.

    Those that contradict a larger one are left out.
    """
    chosen: list[Trim] = []
    taken: set[str] = set()
    touched: set[str] = set()
    ordered = sorted(trims, key=lambda t: (-t.uncompressed_bytes, -t.compressed_bytes, t.id))
    for trim in ordered:
        if trim.risk > most_risk or not trim.uncompressed_bytes or taken & trim.touches:
            continue
        if trim.removes and touched & trim.touches:
            continue
        chosen.append(trim)
        touched |= trim.touches
        if trim.removes:
            taken |= trim.touches
    return tuple(chosen)


def saved(trims: Sequence[Trim]) -> tuple[int, int, Confidence]:
    """Return (unzipped, zipped) bytes that leave with `trims`, and how sure that is."""
    exact = all(trim.confidence == "exact" for trim in trims)
    return (
        sum(trim.uncompressed_bytes for trim in trims),
        sum(trim.compressed_bytes for trim in trims),
        "exact" if exact else "modelled",
    )


def _conflicts(trims: Sequence[Trim]) -> list[tuple[int, int]]:
    """Return the pairs that cannot both be taken: one removes what the other trims."""
    return [
        (i, j)
        for i, one in enumerate(trims)
        for j, two in enumerate(trims[i + 1 :], i + 1)
        if (one.removes or two.removes) and one.touches & two.touches
    ]
