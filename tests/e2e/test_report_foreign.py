"""Artifacts of other tools, reported and counted by another route; the light tools of CI."""

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.fixture_wheels import CHECKOUT
from support.foreign_artifacts import (
    HANDLER,
    Counted,
    count_folder,
    count_zip,
    links_to,
    pip_target,
    run,
    uv_target,
    zipped,
)
from support.lpack_runner import LpackRunner

SCHEMA = json.loads((CHECKOUT / "packager/report/artifact_report.schema.json").read_text())
PACKAGES = ("requests", "boto3==1.44.5", "pydantic")

pytestmark = pytest.mark.index


@pytest.fixture(scope="module")
def wheels(
    real_wheels_of: Callable[[str], list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    found = real_wheels_of("python3.13-x86_64")
    return links_to(tmp_path_factory.mktemp("links") / "wheels", found)


@pytest.fixture
def report(lpack: LpackRunner) -> Callable[..., dict[str, Any]]:
    """The JSON of `lpack report`, held against its schema."""

    def reported(artifact: Path, *options: str) -> dict[str, Any]:
        # As people type it: seen from the folder it lies in.
        arguments = (artifact.name, "--output-format", "json", *options)
        done = lpack.ok("report", *arguments, cwd=artifact.parent)
        document: dict[str, Any] = json.loads(done.stdout)
        jsonschema.validate(document, SCHEMA)
        return document

    return reported


def check_counts(document: dict[str, Any], counted: Counted) -> None:
    found = {each["name"]: each["version"] for each in document["distributions"]}
    assert found == counted.distributions
    artifact = document["artifact"]
    assert artifact["entries"] == counted.entries
    assert artifact["uncompressed_bytes"] == counted.uncompressed_bytes
    assert artifact["compressed_bytes"] == counted.compressed_bytes
    owners = [*document["distributions"], document["code"]]
    assert sum(each["uncompressed_bytes"] for each in owners) == counted.uncompressed_bytes
    if counted.compressed_bytes:
        accounted = sum(each["compressed_bytes"] for each in owners) + artifact["overhead_bytes"]
        assert accounted == counted.compressed_bytes


def names_of_code(document: dict[str, Any]) -> set[str]:
    return {row[0] for row in document["code"]["files"]}


def findings_of(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in document["findings"]:
        found.setdefault(finding["code"], []).append(finding)
    return found


@pytest.mark.skipif(shutil.which("zip") is None, reason="`zip` is not installed")
def test_uv_and_zip(wheels: Path, tmp_path: Path, report: Callable[..., dict[str, Any]]) -> None:
    folder = uv_target(tmp_path / "package", wheels, *PACKAGES)
    (folder / "app.py").write_text(HANDLER)
    path = zipped(tmp_path / "function.zip", folder)
    document = report(path)
    check_counts(document, count_zip(path, tmp_path / "unpacked"))
    assert "app.py" in names_of_code(document)
    assert not [name for name in names_of_code(document) if "-info/" in name]
    found = findings_of(document)
    # pydantic-core is a binary of this very target; nothing native is wrong.
    assert not [code for code in found if code.startswith("LP6")]
    provided = found["LP501"][0]
    assert "boto3 1.44.5" in provided["message"]
    # requests needs urllib3, and the runtime's own satisfies it: by hand, its files are counted.
    gone = {path.split("/")[0].split("-")[0] for path in provided["paths"]}
    assert {"boto3", "botocore", "jmespath", "s3transfer", "dateutil", "six.py", "urllib3"} <= gone
    stubs = {name for name in zipfile.ZipFile(path).namelist() if name.endswith(".pyi")}
    told = [each for each in found["LP502"] if "type-stubs" in each["message"]]
    assert {name for each in told for name in each["paths"]} == stubs


@pytest.mark.skipif(shutil.which("zip") is None, reason="`zip` is not installed")
def test_what_is_pasted_saves_what_was_said(
    wheels: Path, tmp_path: Path, report: Callable[..., dict[str, Any]]
) -> None:
    folder = pip_target(tmp_path / "package", wheels, "numpy", "boto3==1.44.5")
    (folder / "app.py").write_text(HANDLER)
    path = zipped(tmp_path / "function.zip", folder)
    before = report(path)
    pasted = [each for each in before["findings"] if (each["hint"] or "").startswith("zip -qd ")]
    assert len(pasted) >= 3
    for finding in pasted:
        run("sh", "-c", finding["hint"], cwd=tmp_path)
    after = report(path)
    for size in ("compressed_bytes", "uncompressed_bytes"):
        said = sum(finding[f"saves_{size}"] for finding in pasted)
        owned = [sum(o[size] for o in [*d["distributions"], d["code"]]) for d in (before, after)]
        assert owned[0] - owned[1] == said > 0
    codes = {(each["code"], each["message"]) for each in after["findings"]}
    assert not codes & {(each["code"], each["message"]) for each in pasted}


def test_pip_target_as_a_folder(
    wheels: Path, tmp_path: Path, report: Callable[..., dict[str, Any]]
) -> None:
    folder = pip_target(tmp_path / "package", wheels, "requests", "psycopg2-binary", compiled=True)
    (folder / ".env").write_text("PASSWORD=x\n")
    document = report(folder)
    check_counts(document, count_folder(folder))
    assert names_of_code(document) == {".env"}
    found = findings_of(document)
    assert [each["path"] for each in found["LP718"]] == [".env"]
    # Of another Python than the target, all bytecode is dead; of its own it has its source's date.
    bytecode = {p.relative_to(folder).as_posix() for p in folder.rglob("*.pyc")}
    dead = {name for each in found.get("LP504", ()) for name in each["paths"]}
    assert dead == (set() if sys.version_info[:2] == (3, 13) else bytecode)


def test_a_layer_made_by_hand(
    wheels: Path, tmp_path: Path, report: Callable[..., dict[str, Any]]
) -> None:
    site = "python/lib/python3.13/site-packages"
    pip_target(tmp_path / "layer" / site, wheels, "numpy", "aiohttp")
    (tmp_path / "layer" / "bin").mkdir()
    (tmp_path / "layer" / "bin" / "tool").write_text("#!/bin/sh\n")
    path = Path(shutil.make_archive(str(tmp_path / "layer"), "zip", tmp_path / "layer"))
    document = report(path)
    assert document["artifact"]["kind"] == "layer"
    assert document["target"]["runtime"] == "python3.13"
    check_counts(document, count_zip(path, tmp_path / "unpacked", roots=(site,)))
    assert names_of_code(document) == {"bin/tool"}
    by_name = {each["name"]: each for each in document["distributions"]}
    assert [edge["parent"] for edge in by_name["yarl"]["required_by"]] == ["aiohttp"]
    libs = {row[0] for row in by_name["numpy"]["files"] if "/numpy.libs/" in row[0]}
    assert libs == {
        name for name in zipfile.ZipFile(path).namelist()
        if "/numpy.libs/" in name and not name.endswith("/")
    }  # fmt: skip


def test_the_wrong_machine(
    real_wheels_of: Callable[[str], list[Path]],
    tmp_path: Path,
    report: Callable[..., dict[str, Any]],
) -> None:
    wheel = next(w for w in real_wheels_of("python3.13-arm64") if w.name.startswith("psycopg2"))
    path = tmp_path / "function.zip"
    shutil.copyfile(wheel, path)
    assert report(path)["target"]["architecture"] == "arm64"
    document = report(path, "--arch", "x86_64")
    wrong = findings_of(document)["LP601"]
    assert {each["level"] for each in wrong} == {"error"}
    with zipfile.ZipFile(path) as archive:
        native = [i for i in archive.infolist() if archive.read(i).startswith(b"\x7fELF")]
    assert native
    assert "aarch64" in wrong[0]["message"]
    assert document["artifact"]["entries"] > len(native)


@pytest.mark.skipif(shutil.which("umoci") is None, reason="`umoci` is not installed")
def test_an_image_of_umoci(
    wheels: Path, tmp_path: Path, report: Callable[..., dict[str, Any]]
) -> None:
    layout, bundle = tmp_path / "layout", tmp_path / "bundle"
    image = f"{layout}:latest"
    run("umoci", "init", "--layout", str(layout), cwd=tmp_path)
    run("umoci", "new", "--image", image, cwd=tmp_path)
    rootless = ["--rootless"]
    run("umoci", "unpack", *rootless, "--image", image, str(bundle), cwd=tmp_path)
    root = bundle / "rootfs"
    task = pip_target(root / "var/task", wheels, "requests")
    (task / "app.py").write_text(HANDLER)
    (root / "usr/lib64").mkdir(parents=True)
    (root / "usr/lib64/libbase.so.1").write_bytes(b"base" * 99)
    run("umoci", "repack", "--image", image, str(bundle), cwd=tmp_path)
    run("umoci", "config", "--image", image, "--config.cmd", "app.handler", cwd=tmp_path)
    document = report(layout)
    counted = count_folder(task)
    found = {each["name"]: each["version"] for each in document["distributions"]}
    assert found == counted.distributions
    assert document["artifact"]["kind"] == "image"
    assert document["function"]["handler"] == "app.handler"
    owners = [*document["distributions"], document["code"]]
    assert sum(each["entries"] for each in owners) == counted.entries
    assert sum(each["uncompressed_bytes"] for each in owners) == counted.uncompressed_bytes
    whole = counted.uncompressed_bytes + 4 * 99
    assert document["artifact"]["uncompressed_bytes"] == whole
    assert names_of_code(document) == {"var/task/app.py"}
