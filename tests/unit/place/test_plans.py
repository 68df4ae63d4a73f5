"""Plans: which are made, how they are ranked, what forbids them."""

from typing import Any

import pytest
from support.planning import MIB, item, situation, trim

from packager.model.plan import Plan, Situation, Trim
from packager.place.plans import make_plans
from packager.place.pricing import Problem
from packager.place.rates import shipped_rates

LARGE = (item("scipy", 140, 40), item("pandas", 90, 30), item("numpy", 60, 20))


def plans_for(
    known: Situation, trims: tuple[Trim, ...] = (), codecs: tuple[str, ...] = ("deflate", "xz")
) -> dict[str, Plan]:
    """The best plan of each way."""
    plans = make_plans(Problem(known, trims, shipped_rates(), codecs))
    result: dict[str, Plan] = {}
    for plan in plans:
        result.setdefault(plan.way, plan)
    return result


def test_what_fits_needs_no_plan() -> None:
    assert make_plans(Problem(situation(item("small", 10, 3)), (), shipped_rates())) == ()


def test_what_fits_as_it_is_arranged_needs_no_plan() -> None:
    arranged = situation(*LARGE)._replace(arranged=True)
    assert arranged.uncompressed_excess
    assert make_plans(Problem(arranged, (), shipped_rates())) == ()


def test_too_much_to_upload_is_uploaded_otherwise() -> None:
    plans = plans_for(situation(item("a", 100, 40), item("b", 60, 30)))
    assert list(plans) == ["upload", "layers", "image"]
    assert plans["upload"].settings == {"upload": "s3"}
    assert plans["upload"].fits
    assert plans["layers"].moved == ("a", "b")
    assert plans["layers"].compressed_bytes < 2000


def test_layers_never_help_what_is_too_large_unzipped() -> None:
    plans = plans_for(situation(*LARGE))
    assert "layers" not in plans
    assert "upload" not in plans
    assert {"nested", "s3", "image"} <= plans.keys()


def test_what_moves_to_tmp_makes_it_fit() -> None:
    plans = plans_for(situation(*LARGE))
    for way in ("nested", "s3"):
        plan = plans[way]
        assert plan.possible
        assert plan.proved
        assert plan.uncompressed_bytes < 262_144_000
        moved = [each for each in LARGE if each.name in plan.moved]
        assert plan.tmp_bytes == sum(each.uncompressed_bytes for each in moved)
        assert plan.tmp_mib >= 512
        assert plan.uncompressed_bytes >= 290 * MIB + 3000 - plan.tmp_bytes
    fetched = plans["s3"]
    assert fetched.uncompressed_bytes == 290 * MIB + 3000 - fetched.tmp_bytes


def test_the_least_risky_trims_that_suffice_are_taken() -> None:
    trims = (
        trim("tests", "scipy", 30, risk=2),
        trim("docs", "pandas", 20, risk=2),
        trim("loosen", "numpy", 60, risk=3, removes=True),
        trim("feature", "scipy", 45, risk=4),
    )
    plan = plans_for(situation(*LARGE, upload="s3"), trims)["trim"]
    assert [each.id for each in plan.trims] == ["tests", "docs"]
    assert plan.uncompressed_bytes == 240 * MIB + 3000
    assert plan.bytes_confidence == "exact"
    assert plan.settings == {"tests": [True], "docs": [True]}


def test_what_leaves_as_a_whole_is_not_trimmed_as_well() -> None:
    trims = (trim("tests", "scipy", 30), trim("gone", "scipy", 140, risk=3, removes=True))
    plan = plans_for(situation(*LARGE, upload="s3"), trims)["trim"]
    assert [each.id for each in plan.trims] == ["gone"]


@pytest.mark.parametrize(
    ("circumstances", "way", "rule"),
    [
        ({"kind": "edge"}, "image", "edge-image"),
        ({"vpc": True}, "s3", "vpc-s3"),
        ({"snapstart": True, "runtime": "python3.11"}, "nested", "snapstart-old-runtime"),
        ({"snapstart": True, "provisioned_concurrency": True}, "image", "snapstart-provisioned"),
        ({"environment_bytes": 5000}, "nested", "environment-too-large"),
        ({"kind": "edge", "provisioned_concurrency": True}, "image", "edge-provisioned"),
    ],
)
def test_what_aws_forbids_is_not_possible(
    circumstances: dict[str, Any], way: str, rule: str
) -> None:
    plan = plans_for(situation(*LARGE, **circumstances))[way]
    assert not plan.possible
    against = [each for each in plan.objections if each.forbids]
    assert rule in [each.rule for each in against]
    assert all(each.text and each.source for each in against)


@pytest.mark.parametrize(
    ("circumstances", "way", "rule"),
    [
        ({"vpc": True, "s3_endpoint": True}, "s3", "s3-role"),
        ({"snapstart": True}, "nested", "snapstart-tmp-once"),
        ({"managed_instances": True}, "nested", "managed-instances-tmp"),
        ({"provisioned_concurrency": True}, "nested", "provisioned-start"),
        ({}, "image", "image-new-function"),
        ({}, "nested", "task-folder-read-only"),
    ],
)
def test_what_is_only_to_be_known_is_said(
    circumstances: dict[str, Any], way: str, rule: str
) -> None:
    plan = plans_for(situation(*LARGE, **circumstances))[way]
    assert plan.possible
    assert rule in [each.rule for each in plan.objections]


def test_snapstart_and_edge_have_512_mib_of_tmp() -> None:
    many = [item(f"d{n}", 130, 60) for n in range(8)]
    plans = plans_for(situation(*many, snapstart=True, upload="s3"))
    assert "s3" not in plans
    wide = plans_for(situation(*many, upload="s3"))["s3"]
    assert wide.possible
    assert wide.tmp_mib > 512
    assert wide.monthly_dollars > 0


def test_an_image_is_left_when_nothing_else_fits() -> None:
    huge = [item(f"d{n}", 2500, 1200) for n in range(3)]
    plans = make_plans(Problem(situation(*huge, tmp_mib=1024), (), shipped_rates()))
    assert [plan.way for plan in plans if plan.possible] == ["image"]


def test_a_quoted_figure_earns_no_credit() -> None:
    plans = make_plans(Problem(situation(item("a", 150, 60)), (), shipped_rates()))
    assert plans[0].way == "upload"
    image = next(plan for plan in plans if plan.way == "image")
    assert image.starts[0].seconds < plans[0].starts[0].seconds
    assert image.start_confidence == "quoted"


def test_slow_starts_are_run_again_at_the_speed_of_the_memory() -> None:
    plan = plans_for(situation(*LARGE, start_ms=14_000.0))["nested"]
    seconds = [start.seconds for start in plan.starts]
    assert seconds == sorted(seconds, reverse=True)
    assert seconds[0] > seconds[-1] > 14


def test_equal_questions_have_equal_plans() -> None:
    problem = Problem(situation(*LARGE), (trim("t", "scipy", 5),), shipped_rates())
    assert make_plans(problem) == make_plans(problem)
