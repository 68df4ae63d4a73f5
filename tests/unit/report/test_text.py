import re
from collections.abc import Sequence

import pytest
from support.dependencies import (
    LIMITS,
    contents,
    dependencies,
    distribution,
    function,
    zip_of,
)

from packager.measure.measurement import measure
from packager.model.build import Build
from packager.model.payload import SubtractionLine
from packager.report.text import largest, mib, render_build

ZIP, UNZIPPED = (limit.bytes for limit in LIMITS)
LONG = "a-distribution-with-a-name-that-goes-on-and-on-and-on"


def build_of(
    sizes: Sequence[tuple[str, int, int]],
    *,
    code: tuple[int, int] = (500, 900),
    name: str = "api",
    upload: str = "direct",
    **more: Sequence[object],
) -> Build:
    known = dependencies(
        *(distribution(each, required_by=[""]) for each, _, _ in sizes),
        **more,  # type: ignore[arg-type]  # passed through
    )
    artifact = zip_of(
        *(contents(f"{each} 1.0", packed, size) for each, packed, size in sorted(sizes)),
        contents("", *code),
        path=f"dist/{name}.zip",
    )
    return Build(
        function=function(name),
        dependencies=known,
        artifact=artifact,
        measurement=measure(known, artifact, upload=upload),
        excluded=(),
        encoders=("libdeflate",),
    )


def lines_of(build: Build, **options: int) -> list[str]:
    text = render_build(build, shown_path=build.artifact.path, **options)
    assert text.endswith("\n")
    lines = text.removesuffix("\n").split("\n")
    assert [line for line in lines if len(line) > 100] == []
    assert [line for line in lines if line != line.rstrip()] == []
    return lines


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.0 KiB"),
        (1, "0.0 KiB"),
        (1023, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (104_856, "102.4 KiB"),
        (104_857, "0.1 MiB"),
        (1 << 20, "1.0 MiB"),
        (262_144_000, "250.0 MiB"),
        (3 << 40, "3,145,728.0 MiB"),
        (-5 << 20, "-5.0 MiB"),
        (-512, "-0.5 KiB"),
    ],
)
def test_mib(amount: int, text: str) -> None:
    assert mib(amount) == text


def test_a_small_build() -> None:
    build = build_of([("beta", 3 << 20, 9 << 20), ("alpha", 2048, 4096)])
    assert lines_of(build) == [
        "lpack 0.1.0 · python3.13 · x86_64 (Amazon Linux 2023 (minimal), glibc 2.34)",
        "",
        "  api.zip                                             unzipped        zipped",
        "  beta 1.0                                             9.0 MiB       3.0 MiB",
        "  alpha 1.0                                            4.0 KiB       2.0 KiB",
        "  your code                                            0.9 KiB       0.5 KiB",
        "  " + "─" * 74,
        "  total                                                9.0 MiB       3.0 MiB",
        "",
        "  ok   zip, direct upload: 3.0 MiB of 50.0 MiB (6%), 47.0 MiB left",
        "  ok   unzipped, with layers: 9.0 MiB of 250.0 MiB (4%), 241.0 MiB left",
        "",
        (
            "dist/api.zip  sha256 abababababababab…  "
            "CodeSha256 q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="
        ),
    ]


@pytest.mark.parametrize("length", [1, 16, 17, 40, 44, 45, 90])
def test_long_names_stay_within_100_columns(length: int) -> None:
    build = build_of([(LONG, 4096, 8192), (LONG + "-longer" * 9, 4096, 8192)], name="n" * length)
    lines = lines_of(build)
    assert any(line.startswith(f"  {LONG[:43]}…") for line in lines)
    assert any(line.startswith(f"dist/{'n' * length}.zip") for line in lines)
    assert "CodeSha256 " + build.artifact.code_sha256 in lines[-1]


def test_many_distributions_are_summed_up() -> None:
    sizes = [(f"d{n:02}", 1000 + n, (100 - n) << 10) for n in range(20)]
    lines = lines_of(build_of(sizes))
    rows = [line for line in lines if re.match(r"  d\d\d 1\.0 ", line)]
    assert [row[2:5] for row in rows] == [f"d{n:02}" for n in range(12)]
    rest = sum((100 - n) << 10 for n in range(12, 20))
    [summed] = [line for line in lines if line.startswith("  … 8 more ")]
    assert summed.split()[3:5] == mib(rest).split()
    assert len([x for x in lines_of(build_of(sizes[:13])) if " 1.0 " in x]) == 13
    assert "more" not in "\n".join(lines_of(build_of(sizes[:13])))
    assert len([x for x in lines_of(build_of(sizes), rows=3) if re.match(r"  d\d\d ", x)]) == 3


@pytest.mark.parametrize("upload", ["direct", "s3"])
@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_near_a_limit_the_bytes_are_exact(offset: int, upload: str) -> None:
    # The end record and the user's code are in the zip too.
    build = build_of([("big", ZIP + offset - 22 - 500, UNZIPPED + offset - 900)], upload=upload)
    assert build.artifact.compressed_bytes == ZIP + offset
    text = " ".join(line.strip() for line in lines_of(build))
    for total, limit in ((ZIP + offset, ZIP), (UNZIPPED + offset, UNZIPPED)):
        assert f"({total:,} of {limit:,} bytes)" in text
    assert ("FAIL unzipped" in text) is (offset >= 0)
    assert ("FAIL zip, direct upload" in text) is (offset >= 0 and upload == "direct")
    assert ("does not bind: the upload goes through S3" in text) is (upload == "s3")


@pytest.mark.parametrize(("size", "exact"), [(ZIP * 99 // 100, False), (ZIP * 99 // 100 + 1, True)])
def test_away_from_a_limit_they_are_not(size: int, exact: bool) -> None:
    build = build_of([("big", size - 22 - 500, 900)])
    assert (f"{size:,}" in "\n".join(lines_of(build))) is exact


def decision(name: str, reason: str, **more: object) -> SubtractionLine:
    line = SubtractionLine(
        name=name,
        version="1.0",
        runtime_version="1.2",
        outcome="kept",
        code="requirement",
        reason=reason,
        blocked_by=None,
        loosen=None,
        loosen_compressed_bytes=0,
        loosen_uncompressed_bytes=0,
    )
    return line._replace(**more)  # type: ignore[arg-type]  # passed through


def test_the_subtraction_is_told() -> None:
    build = build_of([("alpha", 400, 400)])
    gone = distribution(
        "boto3", subtracted=True, compressed_bytes=2 << 20, uncompressed_bytes=5 << 20
    )
    known = build.dependencies._replace(
        distributions=(*build.dependencies.distributions, gone),
        subtraction=(
            decision("boto3", "boto3 1.2 is in the runtime", outcome="subtracted"),
            decision(
                "six",
                "six stays: alpha 1.0 wants `six==1.0`",
                loosen="six>=1.0",
                loosen_compressed_bytes=1 << 20,
            ),
            decision("jmespath", "jmespath goes with boto3 " + "and so on " * 20, code="group"),
        ),
        conflicts=("urllib3 2.0 is bundled, and " + "word " * 40 + "end",),
    )
    text = "\n".join(lines_of(build._replace(dependencies=known)))
    assert "left out 1 that the runtime provides: −5.0 MiB unzipped, −2.0 MiB zipped" in text
    assert "    − boto3 1.2 is in the runtime\n" in text
    assert "    + six stays: alpha 1.0 wants `six==1.0`\n" in text
    assert "    → `six>=1.0` instead would save 1.0 MiB zipped\n" in text
    assert "    + jmespath goes with boto3" in text
    assert "    ! urllib3 2.0 is bundled" in text


def test_largest_counts_what_the_limit_counts() -> None:
    build = build_of([("zipped", 9 << 20, 9 << 20), ("flat", 1 << 20, 80 << 20)])
    assert largest(build, "unzipped") == ["flat 1.0  80.0 MiB", "zipped 1.0  9.0 MiB"]
    assert largest(build, "zip_direct_upload") == ["zipped 1.0  9.0 MiB", "flat 1.0  1.0 MiB"]
    assert largest(build, "unzipped", rows=1) == ["flat 1.0  80.0 MiB"]


def test_largest_names_what_comes_along() -> None:
    build = build_of([("a", 1 << 20, 2 << 20), ("b", 3 << 20, 5 << 20)])
    first, second = build.dependencies.distributions
    needed = second._replace(required_by=distribution("b", required_by=["a"]).required_by)
    known = build.dependencies._replace(distributions=(first, needed))
    measured = measure(known, build.artifact, upload="direct")
    lines = largest(build._replace(dependencies=known, measurement=measured), "unzipped")
    assert lines == ["b 1.0  5.0 MiB", "a 1.0  2.0 MiB (7.0 MiB with what only it needs)"]
