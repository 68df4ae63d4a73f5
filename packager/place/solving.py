"""Selections with proof: HiGHS when it is installed (extra `plan`), else lpack's own search.

HiGHS is a mixed-integer solver; its answer is checked here in whole numbers, and a bound that is
no better than the answer is the proof. Ties go to the selection that takes less, then to the one
that takes what comes first.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from packager.place.selection import Candidate, Selected, select

_SECONDS = 20.0
_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("output_flag", False),
    ("parallel", "off"),
    ("random_seed", 0),
    ("mip_rel_gap", 0.0),
    ("mip_abs_gap", 0.5),
    ("mip_feasibility_tolerance", 1e-9),
    ("time_limit", _SECONDS),
)


def solve(candidates: Sequence[Candidate], limits: Sequence[int]) -> Selected | None:
    """Return a selection of the greatest value that keeps every limit; None when there is none."""
    try:
        import highspy  # noqa: PLC0415 -- an extra, and slow to load
    except ImportError:
        return select(candidates, limits)
    # Rounding inside the solver cannot make a wrong answer: what does not hold is not used.
    found = _solve(highspy, candidates, limits)
    return found if found is not None else select(candidates, limits)


def _solve(
    highspy: Any,  # noqa: ANN401 -- a module without type information
    candidates: Sequence[Candidate],
    limits: Sequence[int],
) -> Selected | None:
    first = _run(highspy, candidates, limits, [c.value for c in candidates], None)
    if first is None:
        return None
    taken, bound = first
    value = sum(candidates[i].value for i in taken)
    if bound > value:
        return None
    # Among equal values: fewer, then the earlier ones.
    count = len(candidates)
    order = [-(count * count) - position for position in range(count)]
    second = _run(highspy, candidates, limits, order, value)
    if second is not None and sum(candidates[i].value for i in second[0]) == value:
        taken = second[0]
    return Selected(taken, value, value, proved=True, nodes=0)


def _run(
    highspy: Any,  # noqa: ANN401 -- likewise
    candidates: Sequence[Candidate],
    limits: Sequence[int],
    weights: Sequence[int],
    at_least: int | None,
) -> tuple[tuple[int, ...], int] | None:
    """Maximise `weights`; return what is taken and the bound, or None without an answer.

    `at_least` is a value of the candidates that must be reached.
    """
    with _no_greeting():
        solver = highspy.Highs()
    for option, setting in _OPTIONS:
        solver.setOptionValue(option, setting)
    decisions = [solver.addBinary(obj=-float(weight)) for weight in weights]
    for row, limit in enumerate(limits):
        amounts = [candidate.uses.get(row, 0) for candidate in candidates]
        if any(amounts):
            _add_limit(solver, decisions, amounts, limit)
        elif limit < 0:
            return None
    if at_least is not None and any(candidate.value for candidate in candidates):
        values = [-candidate.value for candidate in candidates]
        _add_limit(solver, decisions, values, -at_least)
    solver.minimize()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    taken = tuple(i for i, x in enumerate(solver.getSolution().col_value) if x > 0.5)
    for row, limit in enumerate(limits):
        if sum(candidates[i].uses.get(row, 0) for i in taken) > limit:
            return None
    return taken, int(-solver.getInfo().mip_dual_bound + 0.499)


def _add_limit(
    solver: Any,  # noqa: ANN401 -- likewise
    decisions: Sequence[Any],
    amounts: Sequence[int],
    limit: int,
) -> None:
    """Add one limit, scaled: bytes stand beside counts. Half a unit of room hides no whole one."""
    scale = max(1, *(abs(amount) for amount in amounts))
    terms = [d * (a / scale) for d, a in zip(decisions, amounts, strict=True) if a]
    solver.addConstr(sum(terms) <= (limit + 0.25) / scale)


@contextmanager
def _no_greeting() -> Iterator[None]:
    """Keep what HiGHS prints when it is made away from stdout, which is for results only."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
