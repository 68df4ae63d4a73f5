"""What could leave an artifact: found in manifests, priced to the byte, and never invented."""

from typing import Any

from packager.model.canonical import CENTRAL, LOCAL
from packager.model.record import RecordEntry, render_record
from packager.pipeline.trims import trims_of

HASH = "sha256=" + "0" * 43
HEADERS = LOCAL.size + CENTRAL.size


def owner(name: str, version: str, *files: tuple[str, int, int], **facts: Any) -> dict[str, Any]:
    """A distribution as manifests hold it; files are (path, unzipped, zipped)."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    rows: list[list[Any]] = [
        [path, unzipped, zipped, 0, 0o644]
        for path, unzipped, zipped in (*files, (f"{info}/METADATA", 9, 9), (f"{info}/RECORD", 9, 9))
    ]
    return {
        "name": name,
        "version": version,
        "subtracted": False,
        "uncompressed_bytes": sum(row[1] for row in rows),
        "compressed_bytes": sum(row[2] + HEADERS + 2 * len(row[0]) for row in rows),
        "files": rows,
        "required_by": [],
        **facts,
    }


def manifest(*distributions: dict[str, Any], release: bool = True, **facts: Any) -> dict[str, Any]:
    """As much of a manifest as trims read."""
    return {
        "function": {"name": "api", "release": release},
        "distributions": list(distributions),
        "subtraction": {"decisions": []},
        **facts,
    }


def decision(name: str, loosen: str | None, unzipped: int, outcome: str = "kept") -> dict[str, Any]:
    """One line of the subtraction."""
    return {
        "name": name,
        "outcome": outcome,
        "loosen": loosen,
        "loosen_uncompressed_bytes": unzipped,
        "loosen_compressed_bytes": unzipped,
    }


def found(known: dict[str, Any]) -> dict[str, Any]:
    """The trims by their ids."""
    return {trim.id: trim for trim in trims_of(known, None, release_share=0.03)}


def test_nothing_is_found_where_nothing_can_leave() -> None:
    assert found(manifest(owner("plain", "1.0", ("plain/__init__.py", 100, 50)))) == {}


def test_declared_rules_are_priced_with_their_lines_of_record() -> None:
    path = "numpy/linalg/tests/test_linalg.py"
    trims = found(
        manifest(owner("numpy", "2.4.0", ("numpy/__init__.py", 100, 50), (path, 900, 300)))
    )
    line = len(render_record({path: RecordEntry(HASH, 900)}))
    assert trims["declared"].uncompressed_bytes == 900 + line
    assert trims["declared"].compressed_bytes == 300 + HEADERS + 2 * len(path)
    assert trims["declared"].takes[0].paths == (path,)
    assert dict(trims["declared"].settings) == {"slim": "declared"}


def test_rules_do_not_speak_of_versions_they_were_not_checked_on() -> None:
    old = owner("numpy", "1.20.0", ("numpy/linalg/tests/test_linalg.py", 900, 300))
    assert "declared" not in found(manifest(old))


def test_inert_files_of_others_leave_without_risk() -> None:
    trims = found(manifest(owner("x", "1.0", ("x/a.pyi", 40, 20), ("x/a.py", 40, 20))))
    assert trims["inert"].risk == 1
    assert trims["inert"].takes[0].paths == ("x/a.pyi",)


def test_the_best_deflate_is_offered_once() -> None:
    large = owner("large", "1.0", ("large/data.bin", 5_000_000, 4_000_000))
    trim = found(manifest(large, release=False))["release"]
    assert trim.confidence == "modelled"
    assert 100_000 < trim.compressed_bytes < 200_000
    assert trim.uncompressed_bytes == 0
    assert "release" not in found(manifest(large, release=True))
    assert "release" not in found(manifest(large, release=False, foreign=True))


def test_graphics_libraries_can_leave_and_their_metadata_stays() -> None:
    trims = found(
        manifest(
            owner("nvidia-nccl-cu13", "2.1", ("nvidia/nccl/lib/libnccl.so.2", 9000, 8000)),
            owner(
                "triton", "3.0", ("triton/__init__.py", 10, 5), ("triton/_C/libtriton.so", 70, 50)
            ),
        )
    )
    nccl, triton = trims["gpu-nvidia-nccl-cu13"], trims["gpu-triton"]
    assert nccl.takes[0].paths == ("nvidia/nccl/lib/libnccl.so.2",)
    assert dict(nccl.settings)["drop"][0]["glob"] == "/nvidia/nccl/**"
    assert [drop["glob"] for drop in dict(triton.settings)["drop"]] == ["/triton/**"]


def test_a_loosened_pin_removes_the_whole_group_where_its_bytes_say_so() -> None:
    boto3, botocore = owner("boto3", "1", ("b/a", 10, 5)), owner("botocore", "1", ("c/a", 99, 50))
    both = boto3["uncompressed_bytes"] + botocore["uncompressed_bytes"]
    lines = [decision("boto3", "boto3>=1.34", both), decision("botocore", None, 0)]
    known = manifest(boto3, botocore, subtraction={"decisions": lines})
    trim = found(known)["loosen-boto3"]
    assert trim.removes
    assert trim.requirement == "boto3>=1.34"
    assert trim.touches == {"boto3", "botocore"}
    assert trim.uncompressed_bytes == both


def test_a_loosened_pin_alone_removes_itself_alone() -> None:
    six, other = owner("six", "1", ("six.py", 30, 10)), owner("jmespath", "1", ("j.py", 40, 10))
    lines = [
        decision("six", "six>=1.16", six["uncompressed_bytes"]),
        decision("jmespath", None, 0),
    ]
    trim = found(manifest(six, other, subtraction={"decisions": lines}))["loosen-six"]
    assert trim.touches == {"six"}
