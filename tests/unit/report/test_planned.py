"""What a plan makes of a manifest, for pictures."""

from pathlib import Path

from support.built_manifest import zip_and_manifest
from support.planning import item, situation

from packager.model.plan import Taken, Trim
from packager.place.offloading import Offload
from packager.place.pricing import Move, Problem, price
from packager.place.rates import shipped_rates
from packager.place.start_up import unpacking
from packager.report.planned import planned_manifest


def test_trimmed_files_are_gone_and_what_moved_is_an_archive(tmp_path: Path) -> None:
    _, manifest = zip_and_manifest(tmp_path)
    one, two = item("one", 0.1, 0.05), item("two", 0.2, 0.1)
    problem = Problem(situation(one, two), (), shipped_rates())
    prices = (unpacking(two, "deflate", problem.rates, fetched=False),)
    offload = Offload((two,), "deflate", prices, 0, proved=True)
    trim = Trim("t", "t", (Taken("one", 360, 100, ("ns/one.py",)),), "exact", 2)
    move = Move("nested", "plan", trims=(trim,), moved=("two",), offload=offload)
    plan = price(problem, move)
    after = planned_manifest(manifest, plan)
    rows = {each["name"]: each["files"] for each in after["distributions"]}
    names = [row[0] for row in rows["one"]]
    assert "ns/__init__.py" in names
    assert "ns/one.py" not in names
    ((name, size, *_),) = rows["two"]
    assert (name, size) == (".lpack/offload/two", prices[0].archive_bytes)
    assert after["artifact"]["uncompressed_bytes"] == plan.uncompressed_bytes
    unzipped = next(limit for limit in after["limits"] if limit["name"] == "unzipped")
    assert unzipped["measured_bytes"] == plan.uncompressed_bytes
    assert unzipped["passed"]
    assert manifest["artifact"]["path"] == "api.zip", "the manifest itself is not changed"


def test_from_s3_nothing_is_left_in_the_zip(tmp_path: Path) -> None:
    _, manifest = zip_and_manifest(tmp_path)
    problem = Problem(situation(item("one", 0.1, 0.05)), (), shipped_rates())
    plan = price(problem, Move("s3", "plan", moved=("one",)))
    after = planned_manifest(manifest, plan)
    one = next(each for each in after["distributions"] if each["name"] == "one")
    assert (one["files"], one["entries"], one["compressed_bytes"]) == ([], 0, 0)
