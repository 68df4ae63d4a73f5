"""Files of the store that a disk altered: never wrong bytes in an artifact (threats C1, C2, F4)."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.crash_scenarios import Scenario
from support.crash_world import CrashWorld, put_back
from support.disk_faults import FaultyHost, why_not
from support.intensity import times

from packager.wheels.store import Store
from packager.wheels.store_keeping import verify_store

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
FULL = (
    "edited code",
    "other settings",
    "layers, edited code",
    "image, edited code",
    "archives, edited code",
)
WAYS = ("one bit", "several bytes", "cut", "empty", "last page zeroed", "longer", "gone", "swapped")


@pytest.fixture(scope="module")
def scenarios(world: CrashWorld, hosts: list[FaultyHost]) -> list[Scenario]:
    """States with a full store: code that changed, settings that changed."""
    return [world.scenario(hosts[0], name) for name in FULL]


def damage(files: list[Path], chance: random.Random) -> str:
    """Alter one file in one way; tells which and how."""
    path, way = chance.choice(files), chance.choice(WAYS)
    data = bytearray(path.read_bytes())
    if way == "one bit":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif way == "several bytes":
        at = chance.randrange(len(data))
        data[at : at + 16] = chance.randbytes(16)
    elif way == "cut":
        del data[chance.randrange(len(data)) :]
    elif way == "empty":
        data.clear()
    elif way == "last page zeroed":
        data[-4096:] = bytes(min(4096, len(data)))
    elif way == "longer":
        data += chance.randbytes(chance.randrange(1, 600))
    elif way == "swapped":
        alike = [each for each in files if each.suffix == path.suffix and each != path]
        data[:] = chance.choice(alike).read_bytes() if alike else b""
    if way == "gone":
        path.unlink()
    else:
        path.write_bytes(data)
    return f"{path.parts[-3]}/{path.name}: {way}"


def test_no_damage_gets_into_an_artifact(
    world: CrashWorld, hosts: list[FaultyHost], scenarios: list[Scenario]
) -> None:
    seeds = range(times(500, 10_000))

    def some(number: int) -> tuple[Counter[str], list[str]]:
        told: Counter[str] = Counter()
        complaints = []
        for seed in seeds[number :: len(hosts)]:
            chance = random.Random(seed)  # noqa: S311 -- no secret
            scenario = chance.choice(scenarios)
            place = world.folder / f"damaged{number}"
            put_back(scenario.template, place)
            files = sorted(place.glob("store/v1/*/*/*.*"))
            what = damage(files, chance)
            told[what.split("/")[0]] += 1
            try:
                world.check_build(hosts[number], scenario, place)
                assert verify_store(Store(place / "store" / "v1"), repair=True).entries
            except AssertionError as error:
                complaints.append(f"seed {seed}, {what}\n{error}")
        return told, complaints

    with ThreadPoolExecutor(len(hosts)) as threads:
        results = list(threads.map(some, range(len(hosts))))
    complaints = [text for _, found in results for text in found]
    assert not complaints, f"{len(complaints)}:\n" + "\n\n".join(complaints[:5])
    kinds = results[0][0] + results[1][0]
    print(
        f"\naltered store files: {sum(kinds.values()):,} of {len(kinds)} kinds, 0 wrong bytes out"
    )
    wanted = {"wheels", "payloads", "slimmed", "admitted", "members", "pointers", "prefixes"}
    assert wanted | {"blobs", "layers", "layouts", "offload", "bootstrap"} <= kinds.keys()
