"""What changed, and the requirement that explains it."""

from typing import Any

import pytest
from support.manifests import manifest, shipped

from packager.gate.difference import difference_of
from packager.gate.growth import growth_outcomes, likeness_findings
from packager.gate.publication import publisher_findings
from packager.model.budget import Budgets, Increase
from packager.model.difference import Difference
from packager.model.growth_text import change_words

ORIGIN = "pyproject.toml (project.dependencies)"


def _between(old: dict, new: dict) -> Difference:  # type: ignore[type-arg]  # JSON
    return difference_of(old, new, old_label="old", new_label="new")


def _words(old: dict, new: dict) -> list[str]:  # type: ignore[type-arg]  # JSON
    return [change_words(change) for change in _between(old, new).distributions]


def test_a_lock_that_moved_names_the_version_and_the_new_edge() -> None:
    """Nothing changed in the project: s3fs is open, and its new version needs aiobotocore."""
    old = manifest(shipped("s3fs", "1.0"))
    new = manifest(
        shipped("s3fs", "2.0"),
        shipped("aiobotocore", "2.5", required_by={"s3fs": "aiobotocore>=2"}),
        shipped("botocore", "1.40", required_by={"aiobotocore": "botocore>=1.40"}, compressed=999),
    )
    assert _words(old, new) == [
        (
            f"botocore 1.40 new, required by s3fs ({ORIGIN}) → aiobotocore → botocore; "
            "s3fs 2.0 requires `aiobotocore>=2`, a new edge"
        ),
        (
            f"aiobotocore 2.5 new, required by s3fs ({ORIGIN}) → aiobotocore; "
            "s3fs 2.0 requires `aiobotocore>=2`, a new edge"
        ),
        f"s3fs 1.0 → 2.0, required in {ORIGIN}",
    ]


def test_a_new_version_is_put_down_to_the_edge_that_changed() -> None:
    """Two ways lead to numpy; only that over pandas changed, although it is not the shorter."""
    old = manifest(
        shipped("pandas", "2.0"),
        shipped("glue", "1.0", required_by={"pandas": "glue"}),
        shipped("numpy", "1.26", required_by={"": "numpy", "glue": "numpy>=1"}),
    )
    new = manifest(
        shipped("pandas", "2.0"),
        shipped("glue", "2.0", required_by={"pandas": "glue"}),
        shipped("numpy", "2.0", required_by={"": "numpy", "glue": "numpy>=2"}),
    )
    assert (
        f"numpy 1.26 → 2.0, required by pandas ({ORIGIN}) → glue → numpy; "
        "glue 2.0 requires `numpy>=2` (was `numpy>=1`)"
    ) in _words(old, new)


def test_a_requirement_of_the_project_is_told_where_it_stands() -> None:
    old = manifest(shipped("numpy", "1.0", required_by={"": "numpy<2"}))
    new = manifest(shipped("numpy", "2.0", required_by={"": "numpy>=2"}), shipped("rich", "14.0"))
    assert sorted(_words(old, new)) == [
        f"numpy 1.0 → 2.0, required in {ORIGIN}, was `numpy<2`",
        f"rich 14.0 new, required in {ORIGIN}, new",
    ]


def test_cycles_end() -> None:
    old = manifest()
    new = manifest(
        shipped("a", required_by={"": "a", "b": "a"}), shipped("b", required_by={"a": "b"})
    )
    assert len(_words(old, new)) == 2


def test_what_the_runtime_no_longer_has_is_bundled() -> None:
    reason = "boto3 1.40 is too old for `boto3>=1.41`"
    old = manifest(shipped("boto3", subtracted=True))
    new = manifest(shipped("boto3"), decisions=({"name": "boto3", "reason": reason},))
    [change] = _between(old, new).distributions
    assert (change.kind, change.old_compressed_bytes, change.new_compressed_bytes) == (
        "bundled", 0, 100,
    )  # fmt: skip
    assert change_words(change).endswith(reason)
    [back] = _between(new, old).distributions
    assert (back.kind, back.compressed_delta) == ("left-out", -100)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (manifest(shipped("a")), manifest(shipped("a", wheel_sha256="1" * 64, compressed=1)),
         "another wheel of the same version: a-1.0-py3-none-any.whl → a-1.0-py3-none-any.whl"),
        (manifest(shipped("a")), manifest(shipped("a", compressed=1), lpack="0.2.0"),
         "built by lpack 0.2.0 instead of 0.1.0"),
        (manifest(shipped("a")), manifest(shipped("a", compressed=1)),
         "the same wheel, slimmed or deflated otherwise"),
    ],
)  # fmt: skip
def test_the_same_version_with_other_bytes(old: dict, new: dict, reason: str) -> None:  # type: ignore[type-arg]  # JSON
    [change] = _between(old, new).distributions
    assert (change.kind, change.reason) == ("resized", reason)


def test_what_moved_into_a_layer_or_an_archive_says_so() -> None:
    old, new = manifest(shipped("a")), manifest(shipped("a"))
    assert _words(old, new) == []
    new["distributions"][0]["placement"] = "offload"
    assert _words(old, new) == [f"a 1.0 repacked, required in {ORIGIN}: moved from zip to offload"]
    del old["distributions"][0]["placement"]
    assert _words(old, new) == []


def test_files_by_the_largest_change() -> None:
    old = manifest(shipped("a", files=(("a/x", 10, 5), ("a/y", 10, 5), ("a/z", 7, 7))))
    new = manifest(shipped("a", "2", files=(("a/x", 99, 60), ("a/w", 20, 9), ("a/z", 7, 7))))
    assert [
        (change.path, change.kind, change.uncompressed_delta, change.compressed_delta)
        for change in _between(old, new).files
    ] == [("a/x", "changed", 89, 55), ("a/w", "added", 20, 9), ("a/y", "removed", -10, -5)]


@pytest.mark.parametrize(
    ("increase", "codes"),
    [
        (Increase(percent=5), ["LP301", "LP302"]),
        (Increase(percent=100), []),
        (Increase(bytes=99), ["LP301", "LP302"]),
        (Increase(bytes=100), ["LP302"]),
        (Increase(percent=5, bytes=1000), []),
        (Increase(percent=30, bytes=99), []),
        (Increase(percent=5, bytes=99), ["LP301", "LP302"]),
    ],
)
def test_growth_has_to_pass_every_threshold_that_is_set(
    increase: Increase, codes: list[str]
) -> None:
    """The zip grows by 100 of 500 bytes (20 %), unzipped by 300 of 1,500."""
    old = manifest(shipped("a", compressed=500, uncompressed=1500))
    new = manifest(shipped("a", compressed=500, uncompressed=1500), shipped("b"))
    outcomes = list(growth_outcomes(_between(old, new), Budgets(max_increase=increase)))
    assert [each.finding.code for each in outcomes if each.finding] == codes
    assert len([each.rule for each in outcomes if each.rule]) == 2


@pytest.mark.parametrize(
    ("allowed", "subjects"),
    [(None, []), (True, []), (False, ["b", "d"]), (("b", "c"), ["d"]), (("c",), ["b", "d"])],
)
def test_new_distributions_by_the_requirement_that_brought_them(
    allowed: bool | tuple[str, ...] | None, subjects: list[str]
) -> None:
    old = manifest(shipped("a"))
    new = manifest(shipped("a"), shipped("b"), shipped("c", required_by={"b": "c"}), shipped("d"))
    outcomes = growth_outcomes(_between(old, new), Budgets(new_distributions=allowed))
    assert [each.finding.subject for each in outcomes if each.finding] == subjects


def test_a_baseline_of_another_target_or_lpack_is_said() -> None:
    old, new = manifest(runtime="python3.12"), manifest(lpack="9")
    difference = _between(old, new)
    found = list(likeness_findings(difference.old, difference.new))
    assert [(finding.code, finding.subject) for finding in found] == [
        ("LP306", "target"),
        ("LP306", "lpack"),
    ]


WAS = ["github:a/x//r.yml"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ({"publishers": WAS}, {"publishers": ["github:A/x//other.yml"]}, None),
        ({"publishers": WAS}, {"publishers": ["github:b/x", "github:a/x"]}, None),
        ({}, {"publishers": WAS}, None),
        ({}, {}, None),
        ({"publishers": WAS, "wheel_sha256": "1"}, {"wheel_sha256": "1"}, None),
        (
            {"publishers": WAS},
            {"publishers": ["gitlab:a/x"]},
            "x 2 was published by `gitlab:a/x`, and 1 was published by `github:a/x//r.yml`",
        ),
        (
            {"publishers": WAS},
            {},
            "x 2 has no publisher that was verified, and 1 was published by `github:a/x//r.yml`",
        ),
    ],
)
def test_who_published_is_held_against_the_baseline(
    old: dict[str, Any], new: dict[str, Any], message: str | None
) -> None:
    rows = [{"name": "x", "version": "1", "wheel_sha256": "1", **old},
            {"name": "x", "version": "2", "wheel_sha256": "2", **new}]  # fmt: skip
    found = [*publisher_findings(*({"distributions": [row]} for row in rows))]
    assert [each.message for each in found] == ([] if message is None else [message])
    for each in found:
        assert (each.code, each.subject, each.level) == ("LP309", "x", "warning")
        assert each.hint == 'publishers = { x = "github:a/x" } refuses what others publish'
    assert [*publisher_findings({"distributions": []}, {"distributions": rows[1:]})] == []
