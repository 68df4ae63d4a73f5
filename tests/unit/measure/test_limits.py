import pytest
from support.dependencies import LIMITS

from packager.measure.limits import check_limits
from packager.model.payload import LimitFact
from packager.runtime.targets import load_target

ZIP, UNZIPPED = 52_428_800, 262_144_000


def verdicts(compressed: int, uncompressed: int, upload: str = "direct") -> list[tuple[bool, int]]:
    checks = check_limits(
        LIMITS, compressed_bytes=compressed, uncompressed_bytes=uncompressed, upload=upload
    )
    assert [check.measured_bytes for check in checks] == [compressed, uncompressed]
    return [(check.passed, check.headroom_bytes) for check in checks]


@pytest.mark.parametrize(
    ("offset", "passed", "headroom"), [(-2, True, 1), (-1, True, 0), (0, False, -1), (1, False, -2)]
)
def test_limits_are_strict(offset: int, passed: bool, headroom: int) -> None:
    assert verdicts(ZIP + offset, 0)[0] == (passed, headroom)
    assert verdicts(0, UNZIPPED + offset)[1] == (passed, headroom)


def test_an_upload_through_s3_lifts_one_limit_only() -> None:
    (zipped, headroom), (unzipped, _) = verdicts(ZIP, UNZIPPED, "s3")
    assert (zipped, headroom) == (True, -1)
    assert not unzipped
    checks = check_limits(LIMITS, compressed_bytes=1, uncompressed_bytes=1, upload="s3")
    assert [check.binding for check in checks] == [False, True]


@pytest.mark.parametrize("upload", ["direct", "s3"])
def test_edge_binds_whatever_the_upload(upload: str) -> None:
    target = load_target("python3.13", "x86_64", "edge")
    facts = [
        LimitFact(name=x.name, title=x.title, bytes=x.bytes, source=x.source, date=x.date)
        for x in target.limits
    ]
    for compressed, passed in ((ZIP - 1, True), (ZIP, False)):
        checks = check_limits(
            facts, compressed_bytes=compressed, uncompressed_bytes=1, upload=upload
        )
        by_name = {check.name: check for check in checks}
        assert by_name.keys() == {"zip_edge", "unzipped"}
        assert by_name["zip_edge"].passed is passed
        assert by_name["zip_edge"].binding


def test_a_limit_that_is_not_about_a_zip_is_not_checked() -> None:
    other = LimitFact(name="image", title="image", bytes=1, source="quotas", date="2025-01-01")
    assert check_limits([other], compressed_bytes=9, uncompressed_bytes=9, upload="s3") == ()
