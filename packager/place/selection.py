"""An exact 0/1 selection under linear limits: branch and bound with Lagrangian bounds. Pure.

The planner's questions have at most some hundred yes-or-no decisions and a few dozen limits. For
multipliers m >= 0, the sum of all max(0, value - m·use) plus m·limit is no smaller than the best
value that keeps the limits (Lagrangian relaxation; Fisher, Management Science 27(1), 1981). Such
a bound that does not exceed the best known value is the proof that a branch holds nothing better.
"""

from collections.abc import Sequence
from typing import NamedTuple

_ROUNDS = 300
_SLACK = 1e-6


class Candidate(NamedTuple):
    """One decision: what taking it is worth, and what it uses of each limit.

    `value` is an integer, so that equal values are equal. `uses` maps the index of a limit to an
    amount, which may be negative: then taking it makes room.
    """

    value: int
    uses: dict[int, int]


class Selected(NamedTuple):
    """The decisions taken, in ascending order, and their value.

    `proved` tells that nothing is worth more; otherwise the search was ended at `nodes` and no
    selection is worth more than `bound`.
    """

    taken: tuple[int, ...]
    value: int
    bound: int
    proved: bool
    nodes: int


def select(
    candidates: Sequence[Candidate], limits: Sequence[int], *, most_nodes: int = 400_000
) -> Selected | None:
    """Return a selection of the greatest value that keeps every limit (use <= limit).

    Equal inputs give equal selections: the decisions are tried in one order, and an equal value
    never replaces the one that was found first. None when no selection keeps the limits.
    """
    search = _Search(candidates, limits, most_nodes)
    search.run()
    if search.best is None:
        return None
    bound = search.best_value if search.ended else int(search.root_bound + _SLACK)
    taken = tuple(sorted(search.best))
    return Selected(taken, search.best_value, bound, search.ended, search.nodes)


class _Search:
    """One search, depth first: decisions are taken and taken back on the same lists."""

    def __init__(
        self, candidates: Sequence[Candidate], limits: Sequence[int], most_nodes: int
    ) -> None:
        self.candidates = candidates
        self.left = list(limits)
        self.most_nodes = most_nodes
        multipliers, self.root_bound = _multipliers(candidates, limits)
        self.base = sum(m * limit for m, limit in zip(multipliers, limits, strict=True))
        self.reduced = [
            c.value - sum(multipliers[row] * amount for row, amount in c.uses.items())
            for c in candidates
        ]
        # The clearest decisions first: then the bound of what is left says most.
        self.order = sorted(range(len(candidates)), key=lambda i: (-abs(self.reduced[i]), i))
        self.gains = _suffix_sums([max(0.0, self.reduced[i]) for i in self.order])
        self.rooms = {
            row: _suffix_sums([max(0, -candidates[i].uses.get(row, 0)) for i in self.order])
            for row in {r for c in candidates for r, amount in c.uses.items() if amount < 0}
        }
        self.taken: list[int] = []
        self.best: list[int] | None = None
        self.best_value = 0
        self.nodes = 0
        self.ended = False

    def run(self) -> None:
        """Search everything, or `most_nodes` nodes of it."""
        if any(self._lacks(row, 0) for row in range(len(self.left))):
            self.ended = True
            return
        # What is done last lies deepest. A number takes a decision back.
        stack: list[tuple[int, int, float, int, bool] | int] = [(0, 0, self.base, -1, False)]
        while stack:
            top = stack.pop()
            if isinstance(top, int):
                self._change(top, -1)
                continue
            if self.nodes >= self.most_nodes:
                return
            self.nodes += 1
            depth, value, reduced, index, take = top
            if take:
                self._change(index, 1)
                stack.append(index)
            if self._is_hopeless(depth, reduced, index):
                continue
            if depth == len(self.order):
                if self.best is None or value > self.best_value:
                    self.best, self.best_value = list(self.taken), value
                continue
            following = self.order[depth]
            gain = self.reduced[following]
            skip = (depth + 1, value, reduced, following, False)
            worth = value + self.candidates[following].value
            taking = (depth + 1, worth, reduced + gain, following, True)
            stack += [skip, taking] if gain >= 0 else [taking, skip]
        self.ended = True

    def _change(self, index: int, sign: int) -> None:
        if sign > 0:
            self.taken.append(index)
        else:
            self.taken.pop()
        for row, amount in self.candidates[index].uses.items():
            self.left[row] -= sign * amount

    def _lacks(self, row: int, depth: int) -> bool:
        """Tell whether `row` is over its limit and nothing below `depth` can mend that."""
        rooms = self.rooms.get(row)
        return self.left[row] + (rooms[depth] if rooms is not None else 0) < 0

    def _is_hopeless(self, depth: int, reduced: float, index: int) -> bool:
        """Tell whether nothing below keeps the limits and is worth more than the best known."""
        if index >= 0 and any(self._lacks(row, depth) for row in self.candidates[index].uses):
            return True
        # Values are integers: what cannot be worth one more cannot be better.
        bound = reduced + self.gains[depth]
        return self.best is not None and bound < self.best_value + 1 - _SLACK


def _suffix_sums(amounts: Sequence[float]) -> list[float]:
    """Return the sums from each position to the end, and 0 behind it."""
    sums = [0.0]
    for amount in reversed(amounts):
        sums.append(sums[-1] + amount)
    return sums[::-1]


def _multipliers(
    candidates: Sequence[Candidate], limits: Sequence[int]
) -> tuple[list[float], float]:
    """Return multipliers that make the bound at the root small, and that bound.

    Subgradient steps with Polyak's rule; any multipliers give a true bound, so that rounding
    here costs time and never the proof. Limits are scaled, because bytes stand beside counts.
    """
    scales = [
        float(max([abs(limits[row]), 1, *(abs(c.uses.get(row, 0)) for c in candidates)]))
        for row in range(len(limits))
    ]
    uses = [[(r, amount / scales[r]) for r, amount in c.uses.items()] for c in candidates]
    scaled = [limit / scale for limit, scale in zip(limits, scales, strict=True)]
    current = [0.0] * len(limits)
    best, best_bound = list(current), float("inf")
    aim, step = float(_greedy_value(candidates, limits)), 1.5
    since = 0
    for _ in range(_ROUNDS if limits else 1):
        slack, bound = list(scaled), sum(m * s for m, s in zip(current, scaled, strict=True))
        for candidate, amounts in zip(candidates, uses, strict=True):
            gain = candidate.value - sum(current[row] * amount for row, amount in amounts)
            if gain > 0:
                bound += gain
                for row, amount in amounts:
                    slack[row] -= amount
        since = 0 if bound < best_bound - _SLACK else since + 1
        if bound < best_bound:
            best, best_bound = list(current), bound
        if since > 12:
            step, since = step / 2, 0
        length = sum(s * s for s in slack)
        if length == 0 or bound <= aim:
            break
        move = step * (bound - aim) / length
        current = [max(0.0, m - move * s) for m, s in zip(current, slack, strict=True)]
    return [m / scale for m, scale in zip(best, scales, strict=True)], best_bound


def _greedy_value(candidates: Sequence[Candidate], limits: Sequence[int]) -> int:
    """Return the value of a selection made by taking what fits, the most valuable first."""
    left, value = list(limits), 0
    for candidate in sorted(candidates, key=lambda c: -c.value):
        if candidate.value > 0 and all(a <= left[r] for r, a in candidate.uses.items()):
            value += candidate.value
            for row, amount in candidate.uses.items():
                left[row] -= amount
    return value
