"""The shipped catalogs, and captured ones: good and odd."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from packager.errors import UsageError
from packager.runtime.catalog import load_catalog, read_captured_catalog
from packager.runtime.targets import load_target, runtime_names

SDK = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six"}


@pytest.mark.parametrize("runtime", runtime_names())
def test_every_entry_is_dated_and_named(runtime: str) -> None:
    catalog = load_catalog(runtime)
    assert catalog.runtime == runtime
    assert not catalog.captured
    for name, package in catalog.packages.items():
        assert name == package.name == canonicalize_name(name)
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", package.date)
        assert package.date <= "2026-11-23"
        assert package.source
    groups = {name for name, package in catalog.packages.items() if package.group == "sdk"}
    assert groups == SDK
    unsubtractable = {name for name, each in catalog.packages.items() if not each.subtractable}
    assert unsubtractable == {
        name for name, each in catalog.packages.items() if each.group == "tools"
    }


@pytest.mark.parametrize("runtime", runtime_names())
def test_the_sdk_of_a_catalog_fits_together(runtime: str) -> None:
    """A lowest version that the runtime's own boto3 would refuse cannot be one."""
    catalog = load_catalog(runtime)
    environment = {**load_target(runtime, "x86_64").marker_environment, "extra": ""}
    held = 0
    for package in catalog.packages.values():
        if package.group != "sdk":
            continue
        for need in package.requires:
            if need.marker is not None and not need.marker.evaluate(environment):
                continue
            other = catalog.packages[canonicalize_name(need.name)]
            assert other.version is not None
            assert need.specifier.contains(other.version), f"{package.name} needs {need}"
            held += 1
    assert held >= 7


def test_a_runtime_without_data_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no catalog"):
        load_catalog("python2.7")


def _capture(**changes: Any) -> dict[str, Any]:
    return {
        "format": "lpack-runtime-catalog",
        "version": 1,
        "runtime": "python3.13",
        "python": "3.13.15",
        "architecture": "arm64",
        "region": "eu-central-1",
        "captured": "2026-11-20",
        "packages": [
            {"name": "boto3", "version": "1.43.2", "requires": ["botocore<1.44,>=1.43.2"]},
            {"name": "Python_DateUtil", "version": "2.9.0.post0", "requires": ["six>=1.5"]},
            {"name": "pip", "version": "26.2.1", "requires": None},
            {"name": "something-new", "version": "1", "requires": []},
            {"name": "boto3", "version": "1.0", "requires": []},
        ],
    } | changes


def _write(folder: Path, value: Any) -> Path:
    path = folder / "catalog.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_a_captured_catalog(tmp_path: Path) -> None:
    path = _write(tmp_path, _capture())
    catalog = read_captured_catalog(path, runtime="python3.13", architecture="arm64")
    assert catalog.captured
    assert catalog.complete
    assert (catalog.runtime, catalog.date) == ("python3.13", "2026-11-20")
    packages = {name: (str(p.version), p.group) for name, p in catalog.packages.items()}
    assert packages == {
        "boto3": ("1.43.2", "sdk"),
        "python-dateutil": ("2.9.0.post0", "sdk"),
        "pip": ("26.2.1", "tools"),
        "something-new": ("1", "other"),
    }
    assert [str(need) for need in catalog.packages[canonicalize_name("boto3")].requires] == [
        "botocore<1.44,>=1.43.2"
    ]
    assert not catalog.packages[canonicalize_name("pip")].subtractable


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ("[" * 200_000, "is not JSON"),
        ("[]", "is not a JSON object"),
        ({"errorMessage": "boom", "errorType": "KeyError"}, "holds an error of the function"),
        ({"packages": []}, '`"format": "lpack-runtime-catalog"` is missing'),
        (_capture(version=2), "version is 2, not 1"),
        (_capture(packages=[]), "lists no packages"),
        (_capture(packages={}), "lists no packages"),
        (_capture(packages=["boto3"]), "is not an object"),
        (_capture(runtime=""), "`runtime` is missing"),
        (_capture(captured=7), "`captured` is missing or not text"),
        (_capture(packages=[{"name": "a"}]), "`version` is missing"),
        (_capture(packages=[{"name": "a", "version": "one"}]), "`a`: "),
        (_capture(packages=[{"name": "-", "version": "1"}]), "`-`: "),
        (_capture(packages=[{"name": "a", "version": "1", "requires": "b"}]), "is not a list"),
        (_capture(packages=[{"name": "a", "version": "1", "requires": ["b c"]}]), "`a`: "),
    ],
)
def test_odd_captures(tmp_path: Path, content: Any, message: str) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        read_captured_catalog(path)
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert "lpack runtime capture" in (caught.value.hint or "")


def test_a_capture_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the runtime catalog"):
        read_captured_catalog(tmp_path / "missing.json")
    with pytest.raises(UsageError, match="cannot read the runtime catalog"):
        read_captured_catalog(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not JSON"):
        read_captured_catalog(tmp_path / "bytes.json")


def test_a_capture_of_another_target(tmp_path: Path) -> None:
    path = _write(tmp_path, _capture())
    with pytest.raises(UsageError, match=r"captured on `python3.13`, the target is `python3.12`"):
        read_captured_catalog(path, runtime="python3.12")
    with pytest.raises(UsageError, match=r"captured on `arm64`, the target is `x86_64`"):
        read_captured_catalog(path, architecture="x86_64")
