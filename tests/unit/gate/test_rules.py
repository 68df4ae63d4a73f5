"""Limits are exclusive, budgets inclusive, and close figures are said in bytes."""

from typing import Any

import pytest
from support.manifests import LIMIT_BYTES, manifest, shipped

from packager.gate.rules import budget_outcomes, limit_outcomes, state_findings
from packager.model.budget import Allowance, Budgets

MIB = 1024 * 1024


def _codes(outcomes: Any) -> list[str]:
    return [outcome.finding.code for outcome in outcomes if outcome.finding is not None]


def _sized(compressed: int, uncompressed: int) -> dict[str, Any]:
    return manifest(shipped("big", compressed=compressed, uncompressed=uncompressed))


@pytest.mark.parametrize(
    ("compressed", "uncompressed", "codes"),
    [
        (LIMIT_BYTES["zip_direct_upload"] - 1, 1, ["LP110"]),
        (LIMIT_BYTES["zip_direct_upload"], 1, ["LP101"]),
        (1, LIMIT_BYTES["unzipped"] - 1, ["LP110"]),
        (1, LIMIT_BYTES["unzipped"], ["LP102"]),
        (int(LIMIT_BYTES["zip_direct_upload"] * 0.94), 1, []),
        (LIMIT_BYTES["zip_direct_upload"], LIMIT_BYTES["unzipped"], ["LP101", "LP102"]),
    ],
)
def test_limits_of_aws_are_exclusive(compressed: int, uncompressed: int, codes: list[str]) -> None:
    assert _codes(limit_outcomes(_sized(compressed, uncompressed))) == codes


def test_a_limit_that_does_not_bind_is_no_rule() -> None:
    built = _sized(LIMIT_BYTES["zip_direct_upload"], 1)
    built["limits"][0]["binding"] = False
    assert [outcome.rule.name for outcome in limit_outcomes(built) if outcome.rule] == [
        "limit:unzipped"
    ]


@pytest.mark.parametrize(
    ("limit", "code"),
    [("layers", "LP104"), ("layer:deps", "LP104"), ("image", "LP105"), ("tmp", "LP106"),
     ("environment", "LP109"), ("zip_edge", "LP103")],
)  # fmt: skip
def test_every_limit_has_a_code(limit: str, code: str) -> None:
    built = manifest()
    built["limits"] = [{**built["limits"][0], "name": limit, "passed": False}]
    assert _codes(limit_outcomes(built)) == [code]


@pytest.mark.parametrize(("zipped", "codes"), [(MIB, []), (MIB + 1, ["LP201"])])
def test_budgets_are_inclusive(zipped: int, codes: list[str]) -> None:
    outcomes = list(budget_outcomes(_sized(zipped, 1), Budgets(zip=MIB), init_ms=None))
    assert _codes(outcomes) == codes
    if codes:
        [finding] = [outcome.finding for outcome in outcomes if outcome.finding]
        assert "1,048,577 bytes, allowed are 1,048,576 bytes" in finding.message


def test_every_budget_is_held() -> None:
    built = manifest(shipped("a", uncompressed=500, compressed=50), shipped("b"))
    budgets = Budgets(
        zip=1,
        unzipped=1,
        files=1,
        init_ms=10,
        distributions=(Allowance("a", uncompressed_bytes=499, compressed_bytes=50),),
    )
    outcomes = list(budget_outcomes(built, budgets, init_ms=10.5))
    assert _codes(outcomes) == ["LP201", "LP202", "LP204", "LP205", "LP203"]


def test_an_init_budget_without_a_measured_import_is_said() -> None:
    assert _codes(budget_outcomes(manifest(), Budgets(init_ms=1), init_ms=None)) == ["LP206"]


def test_the_star_is_for_what_is_not_named() -> None:
    built = manifest(shipped("a", uncompressed=900), shipped("b", uncompressed=900))
    stars = Budgets(distributions=(Allowance("a", uncompressed_bytes=1000), Allowance("*", 10)))
    found = [o.finding for o in budget_outcomes(built, stars, init_ms=None) if o.finding]
    assert [(finding.code, finding.subject) for finding in found] == [("LP203", "b:zipped")]


@pytest.mark.parametrize(("shared", "codes"), [(False, ["LP207"]), (True, [])])
def test_a_budget_for_what_is_not_there(shared: bool, codes: list[str]) -> None:
    budgets = Budgets(distributions=(Allowance("nmupy", 10, shared=shared),))
    assert _codes(budget_outcomes(manifest(shipped("numpy")), budgets, init_ms=None)) == codes


def test_what_is_subtracted_has_no_budget_and_is_no_tool() -> None:
    built = manifest(shipped("pip", subtracted=True, uncompressed=10**9))
    budgets = Budgets(distributions=(Allowance("*", 1, 1),))
    assert _codes(budget_outcomes(built, budgets, init_ms=None)) == []
    assert list(state_findings(built)) == []


def test_the_state_of_an_artifact() -> None:
    built = manifest(shipped("pytest"), status="deprecated since 2025-12-15")
    built["subtraction"]["conflicts"] = ["urllib3 2 is bundled"]
    assert [(f.code, f.level) for f in state_findings(built)] == [
        ("LP402", "warning"),
        ("LP403", "warning"),
        ("LP404", "warning"),
    ]
