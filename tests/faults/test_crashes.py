"""Every file operation of a build fails, or is the last one: threats §3, F1 and F2.

The invariants: an output is absent, the old one or the right one; what went wrong is told in one
line; the next run gives the right bytes, leaves no temporary, and the store is whole.
"""

import contextlib
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.crash_scenarios import RECIPES, Scenario
from support.crash_world import CrashWorld, thinned
from support.disk_faults import ERRNOS, FaultyHost, Plan, why_not
from support.intensity import TORTURE, times

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
# How many kills and errors each form gets; `make torture` does all.
SHARES = {
    "cold": (40, 55),
    "edited code": (30, 40),
    "edited code, head start": (10, 15),
    "other settings": (30, 40),
    "layers of two functions at once": (30, 40),
    "image": (25, 35),
    "image, the first": (15, 20),
    "archives for /tmp": (30, 35),
    "layers, edited code": (20, 25),
    "image, edited code": (25, 35),
    "archives, edited code": (15, 20),
    "prune": (15, 20),
    "repair": (15, 20),
}
KILLS, ERRORS = 300, 400
# `make torture` does so many times the shares, or all there are: 2,400 kills, 3,200 errors.
MORE = 8
RANDOM_KILLS = 1000


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    """Counts what arrived; one line of figures at the end."""
    counted: Counter[str] = Counter()
    yield counted
    print(f"\nfaults: {', '.join(f'{count:,} {what}' for what, count in counted.items())}")


def try_all(
    world: CrashWorld, hosts: list[FaultyHost], scenario: Scenario, plans: Sequence[Plan]
) -> Counter[int]:
    """Try `plans`, one half in each host; returns how often each exit code came."""

    def some(number: int) -> tuple[Counter[int], list[str]]:
        codes: Counter[int] = Counter()
        complaints = []
        for plan in plans[number :: len(hosts)]:
            try:
                ran = world.try_plan(hosts[number], scenario, plan, world.folder / f"place{number}")
            except AssertionError as error:
                complaints.append(str(error))
            else:
                codes[ran.exit_code] += 1
        return codes, complaints

    with ThreadPoolExecutor(len(hosts)) as threads:
        results = list(threads.map(some, range(len(hosts))))
    complaints = [text for _, found in results for text in found]
    assert not complaints, f"{len(complaints)} of {len(plans)}:\n" + "\n\n".join(complaints[:5])
    total: Counter[int] = Counter()
    for codes, _ in results:
        total += codes
    print(f"{scenario.name}: {len(plans)} plans, exit codes {dict(total)}")
    return total


def test_every_form_has_its_share() -> None:
    assert SHARES.keys() == RECIPES.keys()
    assert tuple(map(sum, zip(*SHARES.values(), strict=True))) == (KILLS, ERRORS)


@pytest.mark.parametrize("name", RECIPES)
def test_kill_at_every_boundary(
    name: str, world: CrashWorld, hosts: list[FaultyHost], tally: Counter[str]
) -> None:
    scenario = world.scenario(hosts[0], name)
    plans = thinned(scenario.kills(), SHARES[name][0] * times(1, MORE))
    codes = try_all(world, hosts, scenario, plans)
    # Threads do some operations in one run and not in the next: a few plans may come too late.
    assert codes[-signal.SIGKILL] >= 0.9 * len(plans)
    tally["kills at boundaries"] += codes[-signal.SIGKILL]


@pytest.mark.parametrize("name", RECIPES)
def test_error_of_every_operation(
    name: str, world: CrashWorld, hosts: list[FaultyHost], tally: Counter[str]
) -> None:
    scenario = world.scenario(hosts[0], name)
    plans = thinned(scenario.errors(), SHARES[name][1] * times(1, MORE))
    codes = try_all(world, hosts, scenario, plans)
    # Each is either overcome or told; both must occur, or the faults did not arrive.
    assert codes[0] > 0 or scenario.command not in scenario.repeat
    assert codes[3] > len(plans) // 3
    tally["errors"] += len(plans)
    tally["of them overcome"] += codes[0]


def test_the_faults_arrive(world: CrashWorld, hosts: list[FaultyHost]) -> None:
    seen: Counter[str] = Counter()
    for name in RECIPES:
        operations = world.scenario(hosts[0], name).operations
        assert len(operations) > 20, name
        seen.update(operations)
    assert [each for each in ERRNOS if not seen[each]] == []


@pytest.mark.skipif(not TORTURE, reason="`make torture` kills at random times, too")
def test_kill_at_random_times(
    world: CrashWorld, hosts: list[FaultyHost], tally: Counter[str]
) -> None:
    """Whole processes, started as users start them."""
    scenarios = [world.scenario(hosts[0], name) for name in RECIPES]

    def some(number: int) -> int:
        place, killed = world.folder / f"random{number}", 0
        # Some end before their kill; they do not count.
        for seed in range(number, 8 * RANDOM_KILLS, len(hosts)):
            if killed >= RANDOM_KILLS // len(hosts):
                break
            scenario = scenarios[seed % len(scenarios)]
            world.set_up(hosts[number], scenario, place)
            environment = world.environment() | {"LPACK_CACHE_DIR": str(place / "store")}
            process = subprocess.Popen(
                [sys.executable, "-m", "packager", *world.command(scenario.command)],
                cwd=place / "project", env=environment,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            # From the first import to the end, however slow the machine is.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(random.Random(seed).uniform(0, 1.5))  # noqa: S311 -- no secret
            process.kill()
            killed += process.wait() == -signal.SIGKILL
            world.check_after(hosts[number], scenario, place)
        return killed

    with ThreadPoolExecutor(len(hosts)) as threads:
        tally["kills at random times"] += sum(threads.map(some, range(len(hosts))))
    assert tally["kills at random times"] == RANDOM_KILLS


def test_error_of_the_system_that_nobody_foresaw_is_no_bug(
    world: CrashWorld, hosts: list[FaultyHost]
) -> None:
    """Whatever the operation: one line with the file's name, and how to see more."""
    scenario = world.scenario(hosts[0], "edited code")
    place = world.folder / "unforeseen"
    lines = []
    for number in range(1, 12):
        plan = Plan(mode="fail", operation="stat", number=number, errno=5)
        ran = world.try_plan(hosts[0], scenario, plan, place)
        lines += [line for line in ran.stderr.splitlines() if line.startswith("error: cannot use")]
    assert lines
    assert all("Input/output error" in line and "`/" in line for line in lines), lines
