"""Builds that demand attestations: before anything is fetched, and told in every document."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.wheel_builder import build_wheel

from packager.report.why import render_why

pytest.importorskip("pypi_attestations", reason="the extra `attest` is not installed")
signing = pytest.importorskip("support.signing_world")

WHO = {"kind": "GitLab", "repository": "group/sub/alpha", "workflow_filepath": "ci.yml"}
TEXT = "gitlab:group/sub/alpha//ci.yml"
PYPROJECT = """[project]
name = "api"
version = "1"
dependencies = ["alpha"]
[tool.lpack]
runtime = "python3.13"
handler = "app.handler"
source = ["app.py"]
trusted-root = "root.json"
publishers = { Alpha = "gitlab:group/sub/alpha" }
"""


def read(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "dist" / name).read_bytes())
    return document


def test_a_build_that_demands_attestations(lpack: LpackRunner, tmp_path: Path) -> None:
    project, wheels = tmp_path / "api", tmp_path / "wheels"
    project.mkdir()
    wheels.mkdir()
    alpha = build_wheel(wheels, "alpha", "1.0", requires=["beta"])
    build_wheel(wheels, "beta", "1.0")
    world = signing.SigningWorld()
    (project / "root.json").write_text(world.trusted_root)
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "app.py").write_text("import alpha\n\ndef handler(event, context):\n    return 1\n")
    digest = hashlib.sha256(alpha.read_bytes()).hexdigest()
    with IndexServer([wheels]) as index:
        index.provenance[alpha.name] = world.provenance(WHO, alpha.name, digest)
        build = ("build", "--index-url", index.url)
        refused = lpack.run(*build, "--attestations", "require", cwd=project)
        assert refused.exit_code == 3
        assert "beta-1.0-py3-none-any.whl is refused: it has no attestation" in refused.stderr
        assert index.downloads == []
        wanted = ("--attestations", "verify", "--lock", "--sbom", "--provenance")
        done = lpack.run(*build, *wanted, cwd=project)
        assert done.exit_code == 0, done.explain()
        assert "attestations of 1 of 2 files verified; there is none of beta" in done.stderr
        lock = tomllib.loads((project / "pylock.toml").read_text())
    told = {each["name"]: each.get("attestation-identities") for each in lock["packages"]}
    assert told == {"alpha": [WHO], "beta": None}
    manifest = read(project, "api.lpack.json")
    schema = json.loads((CHECKOUT / "packager/report/manifest.schema.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(manifest)
    rows = {each["name"]: each.get("publishers") for each in manifest["distributions"]}
    assert rows == {"alpha": [TEXT], "beta": None}
    for document in ("api.cdx.json", "api.intoto.jsonl"):
        assert TEXT in (project / "dist" / document).read_text()
    assert f"  published by {TEXT}\n" in render_why(manifest, manifest["distributions"][0])
