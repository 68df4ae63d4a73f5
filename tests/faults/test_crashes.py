"""Every file operation of a build fails, or is the last one: threats §3, F1 and F2.

The invariants: an output is absent, the old one or the right one; what went wrong is told in one
line; the next run gives the right bytes, leaves no temporary, and the store is whole.
"""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.crash_world import CrashWorld, Scenario, crash_world, thinned
from support.disk_faults import ERRNOS, FaultyHost, Plan, why_not
from support.intensity import TORTURE, times

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
SCENARIOS = ("cold", "edited code", "other settings")


@pytest.fixture(scope="module")
def world() -> Iterator[CrashWorld]:
    with crash_world() as made:
        yield made


@pytest.fixture(scope="module")
def hosts(world: CrashWorld) -> Iterator[list[FaultyHost]]:
    with FaultyHost(world.environment()) as one, FaultyHost(world.environment()) as two:
        yield [one, two]


@pytest.fixture(scope="module")
def scenarios(world: CrashWorld, hosts: list[FaultyHost]) -> dict[str, Scenario]:
    return {scenario.name: scenario for scenario in world.scenarios(hosts[0])}


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


@pytest.mark.parametrize("name", SCENARIOS)
def test_kill_at_every_boundary(
    name: str, world: CrashWorld, hosts: list[FaultyHost], scenarios: dict[str, Scenario]
) -> None:
    plans = thinned(scenarios[name].kills(), times(100, 1_000_000))
    codes = try_all(world, hosts, scenarios[name], plans)
    # Threads do some operations in one run and not in the next: a few plans may come too late.
    assert codes[-signal.SIGKILL] >= 0.9 * len(plans)


@pytest.mark.parametrize("name", SCENARIOS)
def test_error_of_every_operation(
    name: str, world: CrashWorld, hosts: list[FaultyHost], scenarios: dict[str, Scenario]
) -> None:
    scenario = scenarios[name]
    planned = scenario.errors()
    assert {plan.errno for plan in planned} == {code for codes in ERRNOS.values() for code in codes}
    plans = thinned(planned, times(134, 1_000_000))
    codes = try_all(world, hosts, scenario, plans)
    # Each is either overcome or told; both must occur, or the faults did not arrive.
    assert codes[0] > 0
    assert codes[3] > len(plans) // 3


def test_the_faults_arrive(hosts: list[FaultyHost], scenarios: dict[str, Scenario]) -> None:
    for scenario in scenarios.values():
        seen = Counter(scenario.operations)
        wanted = {"open", "read", "write", "rename", "mkdir", "unlink", "stat", "close"}
        # What is tried out is not waited for; wheels and what is released are.
        wanted |= {"sync"} if scenario.name != "edited code" else set()
        assert all(seen[operation] for operation in wanted), seen
    assert hosts


@pytest.mark.skipif(not TORTURE, reason="`make torture` kills at random times, too")
def test_kill_at_random_times(
    world: CrashWorld, hosts: list[FaultyHost], scenarios: dict[str, Scenario]
) -> None:
    """Whole processes, started as users start them."""
    scenario = scenarios["cold"]
    place = world.folder / "random"
    for seed in range(1000):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(scenario.template, place, symlinks=True)
        environment = world.environment() | {"LPACK_CACHE_DIR": str(place / "store")}
        process = subprocess.Popen(
            [sys.executable, "-m", "packager", "build", "--index-url", world.index_url],
            cwd=place / "project", env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(random.Random(seed).uniform(0, 1.2))  # noqa: S311 -- no secret
        process.kill()
        process.wait()
        world.check_after(hosts[0], scenario, place)


def test_error_of_the_system_that_nobody_foresaw_is_no_bug(
    world: CrashWorld, hosts: list[FaultyHost], scenarios: dict[str, Scenario]
) -> None:
    """Whatever the operation: one line with the file's name, and how to see more."""
    scenario = scenarios["edited code"]
    place = world.folder / "unforeseen"
    lines = []
    for number in range(1, 12):
        plan = Plan(mode="fail", operation="stat", number=number, errno=5)
        ran = world.try_plan(hosts[0], scenario, plan, place)
        lines += [line for line in ran.stderr.splitlines() if line.startswith("error: cannot use")]
    assert lines
    assert all("Input/output error" in line and "`/" in line for line in lines), lines
