"""`lpack report` in every format, with golden output; bad input ends in one line."""

import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.build_world import BuildWorld, make_wheels, write_project
from support.fixture_wheels import CHECKOUT
from support.golden import check_golden, normalize
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.report_world import add, write_artifact

from packager.pipeline.inspection import inspect_artifact

GOLDEN = CHECKOUT / "tests" / "cases" / "report"
SCHEMA = json.loads((CHECKOUT / "packager/report/artifact_report.schema.json").read_text())


@pytest.fixture
def foreign(real_wheels_of: Callable[[str], list[Path]], tmp_path: Path) -> Path:
    return write_artifact(tmp_path / "foreign.zip", real_wheels_of("python3.13-x86_64"))


@pytest.fixture
def earlier(real_wheels_of: Callable[[str], list[Path]], tmp_path: Path) -> Path:
    """The same without requests' own helpers and with older code."""
    path = write_artifact(
        tmp_path / "earlier.zip",
        [w for w in real_wheels_of("python3.13-x86_64") if not w.name.startswith("idna")],
        code={"app.py": b"import requests  # before\n" * 40},
    )
    with zipfile.ZipFile(path, "a") as archive:
        add(archive, "gone/__init__.py", b"# of the earlier one only\n" * 100)
    return path


@pytest.fixture
def world(tmp_path: Path, lpack: LpackRunner) -> Iterator[BuildWorld]:
    wheels = make_wheels(tmp_path / "wheels")
    write_project(tmp_path / "project")
    with IndexServer(wheels) as index:
        yield BuildWorld(project=tmp_path / "project", index_url=index.url, lpack=lpack)


def without_rows(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out the files, which the wheels' own listings are held against."""
    for owner in [*document["distributions"], document["code"]]:
        owner["files"] = len(owner["files"])
    for finding in document["findings"]:
        finding["paths"] = finding["paths"][:3]
    return document


@pytest.mark.index
@pytest.mark.parametrize("output_format", ["text", "markdown", "json"])
def test_golden(output_format: str, foreign: Path, lpack: LpackRunner, update_golden: bool) -> None:
    done = lpack.ok("report", foreign.name, "--output-format", output_format, cwd=foreign.parent)
    text = done.stdout
    if output_format == "json":
        document = json.loads(text)
        jsonschema.validate(document, SCHEMA)
        text = json.dumps(without_rows(document), indent=1, ensure_ascii=False)
    else:
        assert max(map(len, text.splitlines())) <= (100 if output_format == "text" else 999)
    assert done.stderr == ""
    check_golden(
        GOLDEN / f"foreign.{output_format}", normalize(text, names={}, sizes=True),
        update=update_golden,
    )  # fmt: skip


@pytest.mark.index
def test_golden_comparison(
    foreign: Path, earlier: Path, lpack: LpackRunner, update_golden: bool
) -> None:
    done = lpack.ok("report", foreign.name, "--baseline", earlier.name, cwd=foreign.parent)
    text = done.stdout.partition("could leave:")[2].partition("\n")[2]
    check_golden(GOLDEN / "baseline.text", normalize(text, names={}, sizes=True),
                 update=update_golden)  # fmt: skip


@pytest.mark.index
def test_markdown_stays_below_a_comment(tmp_path: Path, lpack: LpackRunner) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(400):
            info = f"dist_{number:03}-1.0.dist-info/METADATA"
            add(archive, info, f"Name: dist-{number:03}\nVersion: 1.0\nRequires-Dist: "
                f"missing-{'x' * 180}-{number}\n\n".encode())  # fmt: skip
    text = lpack.ok("report", str(path), "--output-format", "markdown", cwd=tmp_path).stdout
    assert text.startswith("<!-- lpack-report -->\n")
    assert len(text) < 65_536
    assert "more findings" in text


def test_what_lpack_built(world: BuildWorld) -> None:
    world.build()
    done = world.lpack.ok(
        "report", "--output-format", "json", "--report", "html=r.html", cwd=world.project
    )
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["artifact"]["foreign"] is False
    assert document["artifact"]["sha256"] == world.manifest["artifact"]["sha256"]
    assert document["artifact"]["overhead_bytes"] == 22
    chains = {each["name"]: each["required_by"] for each in document["distributions"]}
    assert chains == {each["name"]: each["required_by"] for each in world.manifest["distributions"]}
    assert (world.project / "r.html").read_text().startswith("<!doctype html>")
    named = world.lpack.ok(
        "report", "dist/api.lpack.json", "--output-format", "json", cwd=world.project
    )
    assert json.loads(named.stdout) == document


@pytest.mark.index
def test_what_a_pin_costs_is_told_once(
    tmp_path: Path, lpack: LpackRunner, real_index: Callable[[str], IndexServer]
) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (tmp_path / "requirements.txt").write_text("boto3==1.44.5\n")
    index = real_index("python3.13-x86_64").url
    lpack.ok(
        "build", "--handler", "app.handler", "--runtime", "python3.13", "--index-url", index,
        cwd=tmp_path,
    )  # fmt: skip
    document = json.loads(lpack.ok("report", "--output-format", "json", cwd=tmp_path).stdout)
    loosened = [each for each in document["findings"] if each["code"] == "LP501"]
    assert [each["hint"] for each in loosened] == ["ask for `boto3>=1.42.97` instead"]
    # Everything in the zip but the handler leaves with it, and the examples are not counted twice.
    shipped = [each for each in document["distributions"] if not each["subtracted"]]
    gone = sum(each["uncompressed_bytes"] for each in shipped)
    assert loosened[0]["saves_uncompressed_bytes"] == gone
    assert "LP503" in {each["code"] for each in document["findings"]}
    assert document["could_save"]["uncompressed_bytes"] == gone


BAD: dict[str, tuple[list[str], str]] = {
    "not there": (["nothing.zip"], "there is no `nothing.zip`"),
    "no zip": (["text.zip"], "`text.zip` is not a zip"),
    "empty": (["empty.zip"], "is not a zip"),
    "format": (["text.zip", "--report", "pdf=x"], "`pdf` is not a format"),
    "runtime": (["good.zip", "--runtime", "python2.7"], "unknown runtime"),
    "times": (["good.zip", "--times", "text.zip"], "holds no start-up times"),
    "baseline": (["good.zip", "--baseline", "text.zip"], "is not a zip"),
    "no manifest": (["broken.lpack.json"], "is not a manifest of lpack"),
    "nothing built": ([], "no manifest"),
    "altered": (["altered.zip"], "`altered.lpack.json` is not a whole manifest"),
    "cut gzip": (["cut.tar.gz"], "is not a zip"),
    "cut tar": (["cut.tar"], "is a damaged archive"),
    "tar of no image": (["plain.tar"], "`manifest.json` is not in it"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line(name: str, tmp_path: Path, lpack: LpackRunner) -> None:
    (tmp_path / "text.zip").write_text("no zip at all\n" * 40)
    (tmp_path / "empty.zip").write_bytes(b"")
    (tmp_path / "broken.lpack.json").write_text("[]")
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        add(archive, "app.py", b"x = 1\n")
    shutil.copyfile(tmp_path / "good.zip", tmp_path / "altered.zip")
    altered = inspect_artifact(tmp_path / "good.zip") | {"distributions": [1, 2]}
    altered["artifact"]["path"] = "altered.zip"
    (tmp_path / "altered.lpack.json").write_text(json.dumps(altered))
    (tmp_path / "cut.tar.gz").write_bytes(b"\x1f\x8b\x08\0cut")
    with tarfile.open(tmp_path / "plain.tar", "w") as tar:
        tar.add(tmp_path / "good.zip", "a/good.zip")
        tar.add(tmp_path / "text.zip", "manifest.json.old")
    cut = (tmp_path / "plain.tar").read_bytes()[:700]
    (tmp_path / "cut.tar").write_bytes(cut)
    arguments, message = BAD[name]
    done = lpack.run("report", *arguments, cwd=tmp_path)
    assert done.exit_code == 2, done.explain()
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    assert done.stdout == ""
