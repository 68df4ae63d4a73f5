import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.build_world import BuildWorld
from support.fixture_wheels import CHECKOUT
from support.wheel_builder import build_wheel

from packager.report.manifest import render_manifest

SCHEMA: dict[str, Any] = json.loads(
    (CHECKOUT / "packager/report/manifest.schema.json").read_text(encoding="utf-8")
)


def validate(manifest: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(manifest)


def schema_leaves(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every place of a document that the schema describes, `[]` for items."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    for name, child in schema.get("properties", {}).items():
        yield from schema_leaves(child, f"{path}.{name}")
    for number, child in enumerate(schema.get("prefixItems", ())):
        yield from schema_leaves(child, f"{path}.{number}")
    if isinstance(schema.get("items"), dict):
        yield from schema_leaves(schema["items"], f"{path}[]")
    if not {"properties", "prefixItems", "items"} & schema.keys():
        yield path


def document_leaves(value: Any, path: str = "", *, row: bool = False) -> Iterator[str]:
    """Every place of a document where a value stands; rows of plain values are numbered."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from document_leaves(child, f"{path}.{name}")
    elif isinstance(value, list) and row:
        for number, child in enumerate(value):
            yield from document_leaves(child, f"{path}.{number}")
    elif isinstance(value, list):
        for child in value:
            yield from document_leaves(child, f"{path}[]", row=isinstance(child, list))
    else:
        yield path


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for child in value.values():
            yield from texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from texts(child)
    elif isinstance(value, str):
        yield value


def unconfigured(world: BuildWorld) -> BuildWorld:
    (world.project / "pyproject.toml").unlink()
    shutil.rmtree(world.project / "pkg")
    return world


def test_a_manifest_is_of_its_schema_and_every_leaf_is_met(world: BuildWorld) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    with (world.project / "requirements.txt").open("a") as requirements:
        requirements.write("\ndelta\n")
    world.build("--offload", "delta", "--offload-from", "s3", "--offload-url", "s3://bucket/p")
    configured = world.manifest
    validate(configured)
    unconfigured(world).build("--runtime", "python3.13")
    [path] = set((world.project / "dist").glob("*.lpack.json")) - {world.manifest_path}
    guessed = json.loads(path.read_text(encoding="utf-8"))
    validate(guessed)
    met = {*document_leaves(configured), *document_leaves(guessed)} - {".offload"}
    elsewhere = (".layers", ".distributions[].publishers")
    described = {leaf for leaf in schema_leaves(SCHEMA) if not leaf.startswith(elsewhere)}
    assert met == described


def test_edge_and_s3_are_of_the_schema_too(world: BuildWorld) -> None:
    world.build("--kind", "edge")
    validate(world.manifest)
    assert {limit["name"] for limit in world.manifest["limits"]} == {"zip_edge", "unzipped"}
    world.build("--upload", "s3", "--arch", "arm64")
    validate(world.manifest)
    assert [limit["binding"] for limit in world.manifest["limits"]] == [False, True]


def test_the_schema_refuses_what_is_not_in_it(world: BuildWorld) -> None:
    world.build()
    for spoil in (
        {"schema_version": 1},
        {"extra": 1},
        {"fits": "yes"},
        {"artifact": {**world.manifest["artifact"], "sha256": "AB" * 32}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validate({**world.manifest, **spoil})


def test_figures_are_those_of_the_zip(world: BuildWorld) -> None:
    world.build()
    manifest, zip_bytes = world.manifest, world.zip.stat().st_size
    shipped = [d for d in manifest["distributions"] if not d["subtracted"]]
    owners = [*shipped, manifest["code"]]
    assert manifest["artifact"]["compressed_bytes"] == zip_bytes
    assert sum(owner["compressed_bytes"] for owner in owners) + 22 == zip_bytes
    for owner in owners:
        assert owner["entries"] == len(owner["files"])
        assert owner["uncompressed_bytes"] == sum(row[1] for row in owner["files"])
        headers = sum(76 + 2 * len(row[0].encode()) for row in owner["files"])
        assert owner["compressed_bytes"] == headers + sum(row[2] for row in owner["files"])
    gone = {d["name"] for d in manifest["distributions"] if d["subtracted"]}
    assert gone == {"boto3", "botocore"}
    for each in manifest["distributions"]:
        if each["subtracted"]:
            assert each["files"] == []
            assert each["compressed_bytes"] > 76 * 4


def test_equal_builds_have_equal_manifests(world: BuildWorld, tmp_path: Path) -> None:
    world.build()
    first = world.manifest_path.read_bytes()
    other = BuildWorld(
        project=tmp_path / "elsewhere",
        index_url=world.index_url,
        lpack=type(world.lpack)(home=tmp_path / "another home"),
    )
    shutil.copytree(world.project, other.project, ignore=shutil.ignore_patterns("dist"))
    other.build()
    assert other.manifest_path.read_bytes() == first


def test_it_holds_no_path_of_the_machine_no_url_and_no_clock(
    world: BuildWorld, tmp_path: Path
) -> None:
    build_wheel(world.project / "vendor", "delta", "3.0")
    build_wheel(tmp_path / "outside", "epsilon", "4.0")
    secret = "hunter2"  # noqa: S105 -- it must not come out again
    world.write(
        "requirements.txt",
        f"alpha\n./vendor/delta-3.0-py3-none-any.whl\n"
        f"epsilon @ file://{tmp_path}/outside/epsilon-4.0-py3-none-any.whl\n",
    )
    with_user = world.index_url.replace("://", f"://user:{secret}@")
    done = world.lpack.run("build", "--index-url", with_user, cwd=world.project)
    assert done.exit_code == 0, done.explain()
    shipped = {d["name"] for d in world.manifest["distributions"]}
    assert {"delta", "epsilon"} <= shipped
    for text in texts(world.manifest):
        assert str(tmp_path) not in text
        assert "://" not in text
        assert secret not in text
        assert not re.match(r"/[a-z]", text), text
        assert not re.search(r"\d\d:\d\d:\d\d", text), text


def test_text_is_one_line_of_utf8() -> None:
    assert render_manifest({"name": "größe", "n": 1}) == '{"name":"größe","n":1}\n'
