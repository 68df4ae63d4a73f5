"""Bills of materials and statements of provenance of real wheels, checked by other means."""

import hashlib
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft202012Validator
from packageurl import PackageURL
from support.fixture_wheels import wheels_for
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner

pytestmark = pytest.mark.index

TARGET = "python3.13-x86_64"
REQUIREMENTS = "pillow\nboto3\npydantic\n"
SCHEMA = Path(__file__).parents[1] / "cases" / "supply" / "slsa-provenance-v1.schema.json"
WITNESSES = ("pillow", "pydantic", "pydantic-core", "typing-extensions")
PASSWORD = "open-sesame-4711"  # noqa: S105 -- looked for in what is written


@pytest.fixture(scope="module")
def project(
    real_index: Callable[[str], IndexServer],
    shared_lpack: LpackRunner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project in a git repository, built with both documents from an index with a password."""
    folder = tmp_path_factory.mktemp("supply") / "api"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text(
        "import PIL\n\ndef handler(event, context):\n    return PIL.__version__\n"
    )
    (folder / "requirements.txt").write_text(REQUIREMENTS)
    (folder / "pyproject.toml").write_text(
        '[tool.lpack.functions.api]\nhandler = "app.handler"\nsource = ["src"]\n'
        'runtime = "python3.13"\nrequirements = ["requirements.txt"]\nupload = "s3"\n'
        "sbom = true\nprovenance = true\n"
    )
    (folder / ".gitignore").write_text("dist/\n")
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", f"https://me:{PASSWORD}@git.example/me/api.git")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    build(shared_lpack, folder, real_index(TARGET).url_with("user", PASSWORD))
    return folder


def build(lpack: LpackRunner, folder: Path, url: str, *arguments: str) -> None:
    done = lpack.run("build", "--index-url", url, *arguments, cwd=folder)
    assert done.exit_code == 0, done.explain()


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read(folder: Path, ending: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "dist" / f"api{ending}").read_text())
    return document


def components(folder: Path) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in read(folder, ".cdx.json")["components"]}


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in component["properties"]}


def test_the_bill_is_valid_and_can_be_read_back(project: Path) -> None:
    text = (project / "dist" / "api.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = Bom.from_json(json.loads(text))  # type: ignore[attr-defined]  # made by a decorator
    assert bom.validate()
    assert len(bom.components) == len(read(project, ".lpack.json")["distributions"])


def test_the_bill_tells_what_ships_as_the_wheels_say(project: Path) -> None:
    """Every wheel's digest and licence come from the wheel itself; nothing of the index's host."""
    wheels = {wheel.name: wheel for wheel in wheels_for(TARGET)}
    found = components(project)
    shipped = {name for name, each in found.items() if each["scope"] == "required"}
    assert set(WITNESSES) <= shipped
    assert not shipped & {"boto3", "botocore"}
    for name in shipped:
        told = properties(found[name])
        wheel = wheels[told["lpack:wheel"]]
        assert found[name]["hashes"] == [{"alg": "SHA-256", "content": sha256(wheel.read_bytes())}]
        assert PackageURL.from_string(found[name]["purl"]).name == name
        assert told["lpack:placement"] == "zip"
        assert told["lpack:source"] == "private"
        assert found[name]["licenses"]
    assert found["pydantic"]["licenses"] == [
        {"license": {"acknowledgement": "declared", "id": "MIT"}}
    ]
    text = (project / "dist" / "api.cdx.json").read_text()
    assert "127.0.0.1" not in text
    assert PASSWORD not in text


def test_the_bill_names_libraries_inside_of_wheels(project: Path) -> None:
    """Their digests are those of the files in the zip, and auditwheel's own list is taken in."""
    with zipfile.ZipFile(project / "dist" / "api.zip") as archive:
        inside = {n: sha256(archive.read(n)) for n in archive.namelist() if ".libs/" in n}
    pillow = components(project)["pillow"]
    files = [each for each in pillow["components"] if each["type"] == "file"]
    told = {properties(each)["lpack:path"]: each["hashes"][0]["content"] for each in files}
    assert told == inside
    assert len(told) > 0
    [wheel] = [w for w in wheels_for(TARGET) if w.name.startswith("pillow-")]
    with zipfile.ZipFile(wheel) as archive:
        bills = {n: archive.read(n) for n in archive.namelist() if re.search("/sboms/.", n)}
    referred = {each["url"]: each["hashes"][0]["content"] for each in pillow["externalReferences"]}
    assert referred == {name: sha256(data) for name, data in bills.items()}
    rows = [row for data in bills.values() for row in json.loads(data)["components"]]
    listed = {row["name"] for row in rows if "pkg:pypi/pillow@" not in row.get("purl", "")}
    merged = {each["name"] for each in pillow["components"] if each["type"] == "library"}
    assert merged == listed
    assert "libjpeg" in str(merged)
    rust = components(project)["pydantic-core"]["components"]
    assert "pkg:cargo/pyo3" in str([each["purl"] for each in rust])


def test_what_the_runtime_provides_is_excluded_and_inferred(project: Path) -> None:
    provided = components(project)["boto3"]
    assert provided["scope"] == "excluded"
    assert "hashes" not in provided
    assert properties(provided)["lpack:version-inferred"] == "true"
    decisions = read(project, ".lpack.json")["subtraction"]["decisions"]
    [line] = [each for each in decisions if each["name"] == "boto3"]
    assert provided["version"] == line["runtime_version"]


def test_the_graph_is_that_of_the_requirements(project: Path) -> None:
    document = read(project, ".cdx.json")
    names = {each["bom-ref"]: each["name"] for each in document["components"]}
    edges = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    root = document["metadata"]["component"]["bom-ref"]
    assert {names[ref] for ref in edges[root]} == set(REQUIREMENTS.split())
    graph = {names[ref]: {names[to] for to in edges[ref]} for ref in names}
    assert "pydantic-core" in graph["pydantic"]
    assert graph["pillow"] == set()


def test_the_statement_follows_the_specification(project: Path) -> None:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    text = (project / "dist" / "api.intoto.jsonl").read_text()
    assert text.count("\n") == 1
    Draft202012Validator(schema).validate(json.loads(text))
    assert PASSWORD not in text
    assert "127.0.0.1" not in text


def test_every_digest_of_the_statement_is_that_of_a_file(project: Path) -> None:
    statement = read(project, ".intoto.jsonl")
    dist = project / "dist"
    subjects = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    assert subjects == {"api.zip": sha256((dist / "api.zip").read_bytes())}
    byproducts = statement["predicate"]["runDetails"]["byproducts"]
    assert {each["name"] for each in byproducts} == {"api.lpack.json", "api.cdx.json"}
    for each in byproducts:
        assert each["digest"]["sha256"] == sha256((dist / each["name"]).read_bytes())
    definition = statement["predicate"]["buildDefinition"]
    materials = {each["name"]: each for each in definition["resolvedDependencies"]}
    wheels = {wheel.name: wheel for wheel in wheels_for(TARGET)}
    used = [each["wheel"] for each in read(project, ".lpack.json")["distributions"]]
    assert set(used) == {name for name in materials if name.endswith(".whl")}
    for name in used:
        assert materials[name]["digest"]["sha256"] == sha256(wheels[name].read_bytes())
        purl = PackageURL.from_string(materials[name]["uri"])
        assert purl.qualifiers == {"file_name": name}
    for name in ("requirements.txt", "pyproject.toml"):
        assert materials[name]["digest"]["sha256"] == sha256((project / name).read_bytes())
    code = (project / "src" / "app.py").read_bytes()
    line = f"{sha256(code)}  app.py\n"
    assert materials["project files"]["digest"]["sha256"] == sha256(line.encode())
    assert materials["commit"]["digest"] == {"gitCommit": git(project, "rev-parse", "HEAD")}
    assert materials["commit"]["uri"] == "git+https://git.example/me/api.git"
    assert materials["commit"]["annotations"] == {"dirty": False}


def test_the_lock_of_the_statement_is_the_one_that_can_be_written(
    project: Path, shared_lpack: LpackRunner, real_index: Callable[[str], IndexServer]
) -> None:
    statement = read(project, ".intoto.jsonl")
    [lock] = [
        each["digest"]["sha256"]
        for each in statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        if each["name"] == "lock (pylock.toml)"
    ]
    build(shared_lpack, project, real_index(TARGET).url_with("user", PASSWORD), "--lock")
    written = project / "pylock.toml"
    assert sha256(written.read_bytes()) == lock
    written.unlink()


def test_equal_builds_have_equal_documents(
    project: Path, shared_lpack: LpackRunner, real_index: Callable[[str], IndexServer]
) -> None:
    """A second build changes nothing, a deleted document comes back, a change makes it dirty."""
    dist = project / "dist"
    documents = (dist / "api.cdx.json", dist / "api.intoto.jsonl")
    before = [path.read_bytes() for path in documents]
    for path in documents:
        path.unlink()
    url = real_index(TARGET).url_with("user", PASSWORD)
    build(shared_lpack, project, url)
    assert [path.read_bytes() for path in documents] == before
    code = project / "src" / "app.py"
    original = code.read_text()
    code.write_text(original + "\n")
    build(shared_lpack, project, url)
    statement = read(project, ".intoto.jsonl")
    commit = statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert commit["annotations"] == {"dirty": True}
    assert read(project, ".cdx.json")["serialNumber"] != json.loads(before[0])["serialNumber"]
    code.write_text(original)
    build(shared_lpack, project, url)
    assert [path.read_bytes() for path in documents] == before


def test_a_bill_of_what_another_tool_built(
    project: Path, shared_lpack: LpackRunner, tmp_path: Path
) -> None:
    """Wheels unpacked and zipped: the components of lpack's own bill, of the whole files."""
    own = components(project)
    told = {name: properties(own[name]) for name in WITNESSES}
    tree = tmp_path / "tree"
    for wheel in wheels_for(TARGET):
        if wheel.name in {each["lpack:wheel"] for each in told.values()}:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(tree)
    (tree / "app.py").write_text("import PIL\n")
    foreign = tmp_path / "foreign.zip"
    with zipfile.ZipFile(foreign, "w") as archive:
        for path in sorted(tree.rglob("*")):
            archive.write(path, path.relative_to(tree))
    report = f"cyclonedx={tmp_path / 'bill.cdx.json'}"
    done = shared_lpack.run("report", str(foreign), "--report", report, cwd=tmp_path)
    assert done.exit_code == 0, done.explain()
    text = (tmp_path / "bill.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["hashes"][0]["content"] == sha256(foreign.read_bytes())
    found = {each["name"]: each for each in document["components"]}
    assert found.keys() == set(WITNESSES)
    for name, component in found.items():
        for key in ("version", "purl", "licenses"):
            assert component[key] == own[name][key]
        assert properties(component)["lpack:source"] == "unknown"
    libraries = {
        properties(each)["lpack:path"]: each["hashes"][0]["content"]
        for each in found["pillow"]["components"]
        if each["type"] == "file"
    }
    whole = {
        path.relative_to(tree).as_posix(): sha256(path.read_bytes())
        for path in tree.glob("*.libs/*")
    }
    assert libraries == whole
    listed = [{e["name"] for e in each["pillow"]["components"]} for each in (found, own)]
    assert listed[0] == listed[1]


def test_a_bill_of_an_artifact_that_lies_there(project: Path, shared_lpack: LpackRunner) -> None:
    done = shared_lpack.run("report", "--output-format", "cyclonedx", cwd=project)
    assert done.exit_code == 0, done.explain()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.stdout) is None
    found = {each["name"]: each for each in json.loads(done.stdout)["components"]}
    own = components(project)
    assert found.keys() == own.keys()
    assert found["pillow"]["hashes"] == own["pillow"]["hashes"]
    assert found["pillow"]["licenses"] == own["pillow"]["licenses"]
    both = shared_lpack.run(
        "report", "dist/api.zip", "src", "--output-format", "cyclonedx", cwd=project
    )
    assert both.exit_code == 2, both.explain()
    assert "is of one artifact, and 2 are named" in both.stderr
