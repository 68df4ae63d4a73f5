"""Every form an artifact can have in its bill of materials and its statement of provenance."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft202012Validator
from support.image_world import write_aws_like_base
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner
from support.wheel_builder import build_wheel

from packager.verify.statements import check_statements

SCHEMA = Path(__file__).parents[1] / "cases" / "supply" / "slsa-provenance-v1.schema.json"
UNKNOWN = b"""License: UNKNOWN
Requires-Dist: alpha
Classifier: License :: OSI Approved :: BSD License"""
METADATA = b"Metadata-Version: 2.4\nName: %s\nVersion: 1.0+local\n%s\n"
CONFIGURATION = """
runtime = "python3.13"
sbom = true
provenance = true
builder-id = "https://builder.example/{project}"
requirements = ["requirements.txt"]
upload = "s3"
[layers.shared]
distributions = ["alpha"]
[functions.layered]
handler = "app.handler"
layers = ["shared"]
[functions.image]
handler = "app.handler"
package-type = "image"
image = {{ base = "./base", environment = {{ TOKEN = "{secret}" }} }}
image-archive = true
layers = []
[functions.far]
handler = "app.handler"
offload = ["beta"]
offload-from = "s3"
offload-url = "s3://bucket/prefix"
layers = []
"""
SECRET = "not-for-everybody"  # noqa: S105 -- looked for in what is written
BILLS = {
    "sboms/deep.cdx.json": b"[" * 100_000,
    "sboms/list.cdx.json": b'{"components": [1, {"name": 7}, {"name": "x", "version": []}, null]}',
    "sboms/none.spdx.json": b'{"spdxVersion": "SPDX-2.3"}',
    "sboms/odd.cdx.json": b'{"components": [{"name": "ok", "purl": "no purl"}, {"name": "ok"}]}',
    "sboms/raw.cdx.json": b"\xff\xfe\x00",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    wheels = tmp_path_factory.mktemp("wheels")
    built = [
        build_wheel(
            wheels, "alpha", "1.0+local", dist_info_files=BILLS,
            metadata=METADATA % (b"alpha", b"License-Expression: MIT OR Apache-2.0"),
        ),
        build_wheel(
            wheels, "beta", "1.0+local", files={"beta.py": b"", "beta.libs/libb.so": b"no ELF"},
            metadata=METADATA % (b"beta", UNKNOWN),
        ),
    ]  # fmt: skip
    with IndexServer(built) as server:
        yield server


@pytest.fixture(scope="module")
def project(
    index: IndexServer, shared_lpack: LpackRunner, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("forms") / "project"
    folder.mkdir()
    (folder / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (folder / "requirements.txt").write_text("beta\n")
    (folder / "lpack.toml").write_text(CONFIGURATION.format(secret=SECRET, project="project"))
    write_aws_like_base(folder / "base")
    done = run(shared_lpack, index, folder)
    assert done.exit_code == 0, done.explain()
    return folder


def run(lpack: LpackRunner, index: IndexServer, folder: Path, *arguments: str) -> Finished:
    return lpack.run("build", "--index-url", index.url, *arguments, cwd=folder)


def bill(project: Path, name: str) -> dict[str, Any]:
    text = (project / "dist" / f"{name}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document: dict[str, Any] = json.loads(text)
    return document


def statement(project: Path, name: str) -> dict[str, Any]:
    text = (project / "dist" / f"{name}.intoto.jsonl").read_text()
    assert SECRET not in text
    document: dict[str, Any] = json.loads(text)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    return document


def told(component: dict[str, Any]) -> dict[str, str]:
    return {each["name"].removeprefix("lpack:"): each["value"] for each in component["properties"]}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("function", "places"),
    [
        ("layered", {"alpha": "layer:shared", "beta": "zip"}),
        ("image", {"alpha": "image", "beta": "image"}),
        ("far", {"alpha": "zip", "beta": "offload"}),
    ],
)
def test_placements_and_subjects(project: Path, function: str, places: dict[str, str]) -> None:
    """Each subject is a file whose digest is recomputed; of an image, that of its manifest."""
    found = {each["name"]: told(each) for each in bill(project, function)["components"]}
    assert {name: found[name]["placement"] for name in places} == places
    dist = project / "dist"
    subjects = {
        each["name"]: each["digest"]["sha256"] for each in statement(project, function)["subject"]
    }
    expected = {
        "layered": ["layered.zip", "shared.layer.zip"],
        "image": ["image.oci", "image.image.tar"],
        "far": ["far.zip", *(str(p.relative_to(dist)) for p in (dist / "far.offload").iterdir())],
    }[function]
    assert subjects.keys() == set(expected)
    for name, sha256 in subjects.items():
        if name == "image.oci":
            [entry] = json.loads((dist / name / "index.json").read_text())["manifests"]
            assert entry["digest"] == f"sha256:{sha256}"
        else:
            assert digest(dist / name) == sha256
    if function == "far":
        assert found["beta"]["archive"].removeprefix("sha256:") in subjects.values()


def test_an_image_stands_on_its_base(project: Path) -> None:
    [entry] = json.loads((project / "base" / "index.json").read_text())["manifests"]
    bases = [each for each in bill(project, "image")["components"] if each["type"] == "container"]
    assert [each["version"] for each in bases] == [entry["digest"]]
    materials = statement(project, "image")["predicate"]["buildDefinition"]["resolvedDependencies"]
    digests = {each["digest"].get("sha256") for each in materials}
    assert entry["digest"].removeprefix("sha256:") in digests


def beside(project: Path, name: str, folder: Path, change: Callable[[str], str]) -> list[str]:
    """Verify the documents of `name`, changed, in a copy; returns every fault."""
    shutil.copytree(project / "dist", folder)
    for path in folder.glob(f"{name}.[ci]*.json*"):
        path.write_text(change(path.read_text()))
    manifest = json.loads((folder / f"{name}.lpack.json").read_text())
    found = check_statements(folder / manifest["artifact"]["path"], manifest)
    return [text for each in found for text in (each.message, *each.details)]


@pytest.mark.parametrize("name", ["layered", "image", "far"])
def test_verify_finds_every_digest_that_is_another(
    project: Path, tmp_path: Path, name: str
) -> None:
    assert beside(project, name, tmp_path / "as-built", str) == []
    manifest = json.loads((project / f"dist/{name}.lpack.json").read_text())
    archives = (manifest["offload"] or {"archives": ()})["archives"]
    rows = [manifest["artifact"], *manifest["layers"], *archives]
    for number, row in enumerate(rows):
        other = tmp_path / str(number)
        found = beside(project, name, other, lambda text, row=row: text.replace(row["sha256"], "0"))  # type: ignore[misc]
        assert any(row["sha256"] in text for text in found), (row, found)
        in_both = 1 if row in archives else 2
        assert len([each for each in found if each.startswith("`")]) == in_both, found
    [alpha] = [row for row in manifest["distributions"] if row["name"] == "alpha"]
    found = beside(
        project, name, tmp_path / "wheel", lambda text: text.replace(alpha["wheel_sha256"], "0")
    )
    # The bill is a byproduct of the statement.
    assert (
        f"tells of wheel of alpha another sha256: 0 instead of {alpha['wheel_sha256']}"
        in (found[0])
    )
    assert "tells of" in found[1]
    assert f"{name}.cdx.json" in found[1]


def test_verify_refuses_what_is_no_such_document(
    project: Path, tmp_path: Path, lpack: LpackRunner
) -> None:
    shutil.copytree(project / "dist", tmp_path / "dist")
    (tmp_path / "dist/layered.cdx.json").write_text('{"metadata": []}')
    (tmp_path / "dist/layered.intoto.jsonl").unlink()
    done = lpack.run("verify", "dist/layered.zip", "--no-import", cwd=tmp_path)
    assert done.exit_code == 1, done.explain()
    assert "error: `layered.cdx.json` is not such a document as lpack writes" in done.stdout
    assert "hint: lpack build --sbom, or rm dist/layered.cdx.json" in done.stdout


def test_what_wheels_say_of_themselves_is_taken_with_care(project: Path) -> None:
    found = {each["name"]: each for each in bill(project, "layered")["components"]}
    assert found["alpha"]["licenses"] == [
        {"acknowledgement": "declared", "expression": "MIT OR Apache-2.0"}
    ]
    assert found["beta"]["licenses"] == [
        {"license": {"acknowledgement": "declared", "name": "BSD License"}}
    ]
    assert found["alpha"]["purl"] == "pkg:pypi/alpha@1.0%2Blocal"
    assert [each["name"] for each in found["alpha"]["components"]] == ["ok"]
    referred = {each["url"].rpartition("/")[2] for each in found["alpha"]["externalReferences"]}
    assert referred == {name.rpartition("/")[2] for name in BILLS}
    [library] = found["beta"]["components"]
    assert library["hashes"][0]["content"] == hashlib.sha256(b"no ELF").hexdigest()


def test_the_builder_is_who_the_configuration_says(project: Path) -> None:
    details = statement(project, "layered")["predicate"]["runDetails"]
    assert details["builder"]["id"] == "https://builder.example/project"


def test_a_bill_bears_the_date_of_the_files_or_none(
    project: Path, index: IndexServer, shared_lpack: LpackRunner
) -> None:
    undated = bill(project, "far")
    assert "timestamp" not in undated["metadata"]
    done = shared_lpack.run(
        "build", "far", "--index-url", index.url, cwd=project,
        env={"SOURCE_DATE_EPOCH": "1764028800"},
    )  # fmt: skip
    assert done.exit_code == 0, done.explain()
    assert "wrote far.cdx.json" in done.stderr
    dated = bill(project, "far")
    assert dated["metadata"]["timestamp"] == "2025-11-25T00:00:00+00:00"
    assert dated["serialNumber"] != undated["serialNumber"]


def test_a_distribution_that_an_artifact_has_twice(tmp_path: Path, lpack: LpackRunner) -> None:
    """Other tools leave old metadata behind; the bill is valid and the same every time."""
    metadata = b"Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\nRequires-Dist: alpha\n"
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        for name in ("alpha-1.0.dist-info/METADATA", "alpha-1.0.egg-info/PKG-INFO"):
            archive.writestr(name, metadata)
        archive.writestr("deep/alpha-1.0.dist-info/METADATA", metadata)
        archive.writestr("app.py", "")
    told = ("report", "twice.zip", "--output-format", "cyclonedx")
    done = [lpack.run(*told, cwd=tmp_path) for _ in range(2)]
    assert done[0].exit_code == 0, done[0].explain()
    assert done[0].stdout == done[1].stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done[0].stdout) is None
    references = [each["bom-ref"] for each in json.loads(done[0].stdout)["components"]]
    assert len(set(references)) == len(references) >= 2


def test_bad_settings_are_told_before_anything_is_built(
    tmp_path: Path, index: IndexServer, lpack: LpackRunner
) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (tmp_path / "requirements.txt").write_text("beta\n")
    for text, message in (
        ('provenance = true\nbuilder-id = "me"', "`builder-id` is `me`, which is no URI"),
        ("sbom = 1", "`sbom`"),
        ('provenance = "yes"', "`provenance`"),
    ):
        (tmp_path / "lpack.toml").write_text(f"{text}\n")
        done = run(lpack, index, tmp_path)
        assert done.exit_code == 2, done.explain()
        assert message in done.stderr
        assert not (tmp_path / "dist").exists()


def test_without_the_library_the_error_says_what_to_install(
    tmp_path: Path, index: IndexServer, lpack: LpackRunner
) -> None:
    """As on a machine that has lpack without the extra: the import fails."""
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (tmp_path / "requirements.txt").write_text("beta\n")
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "cyclonedx.py").write_text("raise ImportError('absent')\n")
    environment = {"PYTHONPATH": str(tmp_path / "absent")}
    done = lpack.run(
        "build", "--index-url", index.url, "--sbom", "--source", "app.py",
        cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.exit_code == 2, done.explain()
    assert "needs cyclonedx-python-lib" in done.stderr
    assert 'lpack[sbom]"' in done.stderr
    assert not (tmp_path / "dist").exists()
