"""The exact selection: against brute force, and against HiGHS, which shares no code with it."""

import itertools
import random
from collections.abc import Callable

import pytest

from packager.place.selection import Candidate, Selected, select
from packager.place.solving import solve

Solver = Callable[[list[Candidate], list[int]], Selected | None]
SOLVERS: list[Solver] = [select, solve]


def brute_force(candidates: list[Candidate], limits: list[int]) -> int | None:
    """The best value over all subsets; None when no subset keeps the limits."""
    best = None
    for bits in itertools.product((0, 1), repeat=len(candidates)):
        taken = [candidate for bit, candidate in zip(bits, candidates, strict=True) if bit]
        used = [sum(c.uses.get(row, 0) for c in taken) for row in range(len(limits))]
        if all(amount <= limit for amount, limit in zip(used, limits, strict=True)):
            value = sum(candidate.value for candidate in taken)
            best = value if best is None else max(best, value)
    return best


def random_question(seed: int, *, most: int) -> tuple[list[Candidate], list[int]]:
    """A question with limits that some decisions ease and others use up."""
    chance = random.Random(seed)  # noqa: S311 -- no secret
    rows = chance.randint(0, 4)
    candidates = [
        Candidate(
            chance.randint(-20, 100),
            {r: chance.randint(-30, 100) for r in range(rows) if chance.random() < 0.7},
        )
        for _ in range(chance.randint(1, most))
    ]
    return candidates, [chance.randint(-40, 200) for _ in range(rows)]


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_value_is_that_of_brute_force(solver: Solver) -> None:
    for seed in range(120):
        candidates, limits = random_question(seed, most=9)
        found = solver(candidates, limits)
        assert (found.value if found else None) == brute_force(candidates, limits), seed
        if found is not None:
            assert found.proved
            assert found.value == sum(candidates[i].value for i in found.taken)


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_taken_keeps_the_limits(solver: Solver) -> None:
    for seed in range(30):
        candidates, limits = random_question(seed, most=25)
        found = solver(candidates, limits)
        if found is None:
            continue
        for row, limit in enumerate(limits):
            assert sum(candidates[i].uses.get(row, 0) for i in found.taken) <= limit


def test_both_solvers_agree_where_brute_force_cannot_go() -> None:
    pytest.importorskip("highspy")
    compared = 0
    for seed in range(40):
        candidates, limits = random_question(seed, most=40)
        own, other = select(candidates, limits), solve(candidates, limits)
        if own is None or not own.proved:
            continue
        assert other is not None
        assert own.value == other.value, seed
        compared += 1
    assert compared >= 20


@pytest.mark.parametrize("solver", SOLVERS)
def test_equal_questions_have_equal_answers(solver: Solver) -> None:
    candidates = [Candidate(10, {0: 1}) for _ in range(8)]
    first, second = solver(candidates, [3]), solver(candidates, [3])
    assert first is not None
    assert first == second
    assert first.value == 30


def test_of_equal_values_the_fewer_and_earlier_are_taken() -> None:
    pytest.importorskip("highspy")
    candidates = [Candidate(5, {0: 5}), Candidate(10, {0: 10}), Candidate(5, {0: 5})]
    found = solve(candidates, [10])
    assert found is not None
    assert found.taken == (1,)


def test_a_search_that_was_ended_says_so_and_gives_a_true_bound() -> None:
    chance = random.Random(7)  # noqa: S311 -- no secret
    candidates = [
        Candidate(weight, {0: weight})
        for weight in (chance.randint(10**6, 10**7) for _ in range(60))
    ]
    limit = sum(candidate.value for candidate in candidates) // 2 + 1
    found = select(candidates, [limit], most_nodes=200)
    assert found is not None
    assert found.bound >= found.value
    assert found.bound <= limit


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("highspy")
    solve([Candidate(1, {0: 1})], [1])
    assert capfd.readouterr().out == ""
