"""Layers through the real command: their bytes, what functions leave out, and what is refused."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.build_world import BuildWorld
from support.fixture_wheels import CHECKOUT
from support.store_poison import list_wrongly

CODE = {"app.py", "pkg/__init__.py", "pkg/helper.py"}
LAYERS = """
[tool.lpack.layers.deps]
distributions = ["beta"]

[tool.lpack.layers.rest]
root = "site-packages"
"""
WORKER = """
[tool.lpack.functions.worker]
handler = "app.handler"
requirements = ["worker.txt"]
layers = ["deps"]
"""


def configure(world: BuildWorld, text: str) -> None:
    path = world.project / "pyproject.toml"
    path.write_text(path.read_text() + text)


def manifest(world: BuildWorld, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((world.project / "dist" / f"{name}.lpack.json").read_text())
    return found


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return set(archive.namelist())


def digest(world: BuildWorld, name: str) -> str:
    return hashlib.sha256((world.project / "dist" / name).read_bytes()).hexdigest()


def follows(schema: str, document: dict[str, Any]) -> None:
    text = (CHECKOUT / "packager/report" / schema).read_text(encoding="utf-8")
    jsonschema.Draft202012Validator(json.loads(text)).validate(document)


def test_everything_is_in_one_place(world: BuildWorld) -> None:
    world.build()
    plain = names(world.zip)
    configure(world, LAYERS)
    done = world.build()
    assert "layer deps: " in done.stdout
    deps, rest = (names(world.project / f"dist/{name}.layer.zip") for name in ("deps", "rest"))
    assert all(name.startswith("python/") for name in deps)
    root = "python/lib/python3.13/site-packages/"
    assert all(name.startswith(root) for name in rest)
    moved = {name.removeprefix("python/") for name in deps}
    moved |= {name.removeprefix(root) for name in rest}
    assert names(world.zip) == CODE
    assert moved | names(world.zip) == plain
    built = manifest(world, "api")
    follows("manifest.schema.json", built)
    for name in ("deps", "rest"):
        described = manifest(world, f"{name}.layer")
        follows("layer_manifest.schema.json", described)
        assert sum(len(each["files"]) for each in described["distributions"]) == len(
            names(world.project / f"dist/{name}.layer.zip")
        )
    places = {each["name"]: each["placement"] for each in built["distributions"]}
    assert places["beta"] == places["gamma"] == "layer:deps"
    assert places["alpha"] == places["six"] == "layer:rest"
    assert places["boto3"] is None
    unzipped = next(each for each in built["limits"] if each["name"] == "unzipped")
    parts = [built["artifact"], *built["layers"]]
    assert unzipped["measured_bytes"] == sum(each["uncompressed_bytes"] for each in parts)
    verified = world.lpack.run("verify", "--no-import", cwd=world.project)
    assert verified.exit_code == 0, verified.explain()


def test_damage_that_looks_like_a_split_package_blames_nobody(lone_world: BuildWorld) -> None:
    configure(lone_world, '[tool.lpack.layers.deps]\ndistributions = ["beta"]\n')
    lone_world.build()
    first = digest(lone_world, "api.zip")
    list_wrongly(lone_world.lpack.store / "v1", member="alpha/py.typed", name="gamma/extra.py")
    shutil.rmtree(lone_world.project / "dist")
    done = lone_world.build()
    assert "made again" in done.stderr
    assert digest(lone_world, "api.zip") == first


def test_a_layer_keeps_its_bytes(world: BuildWorld) -> None:
    configure(world, LAYERS + WORKER)
    world.write("worker.txt", "beta\n")
    world.build()
    first = digest(world, "deps.layer.zip")
    world.write("app.py", "import alpha\n\n\ndef handler(event, context):\n    return 2\n")
    with (world.project / "requirements.txt").open("a") as requirements:
        requirements.write("delta\n")
    world.build("api")
    assert digest(world, "deps.layer.zip") == first
    (world.project / "dist/deps.layer.zip").unlink()
    world.build("worker")
    assert digest(world, "deps.layer.zip") == first
    assert names(world.project / "dist/worker.zip") == {
        "app.py",
        "pkg/__init__.py",
        "pkg/helper.py",
    }


@pytest.mark.parametrize("file", ["deps.layer.zip", "deps.layer.lpack.json"])
def test_a_function_against_a_layer_built_elsewhere(world: BuildWorld, file: str) -> None:
    configure(world, LAYERS)
    world.build()
    for name in ("deps.layer.zip", "deps.layer.lpack.json"):
        kept = (world.project / "dist" / name).read_bytes()
        (world.project / "vendor").mkdir(exist_ok=True)
        (world.project / "vendor" / name).write_bytes(kept)
    world.build("--layer", f"vendor/{file}")
    built = manifest(world, "api")
    gone = {each["name"] for each in built["distributions"] if each["placement"] == "layer:deps"}
    assert gone == {"beta", "gamma"}
    assert all(each["subtracted"] for each in built["distributions"] if each["name"] in gone)
    assert built["layers"][0]["foreign"] is True
    assert built["layers"][0]["path"] == "../vendor/deps.layer.zip"
    reasons = {line["name"]: line["reason"] for line in built["subtraction"]["decisions"]}
    assert "is in the layer `deps` and satisfies `beta>=1`" in reasons["beta"]
    assert not any(name.startswith(("beta", "gamma")) for name in names(world.zip))


def test_what_aws_forbids_ends_before_any_work(world: BuildWorld) -> None:
    six = "".join(f"[tool.lpack.layers.l{n}]\n" for n in range(6))
    configure(world, six)
    done = world.run()
    assert done.exit_code == 2
    assert "`api` has 6 layers, AWS takes at most 5" in done.stderr
    done = world.run("--kind", "edge", "--layer", "l1")
    assert done.exit_code == 2
    assert "Lambda@Edge does not know them" in done.stderr
    assert not (world.project / "dist").exists()


def test_two_functions_that_slim_differently_are_named(world: BuildWorld) -> None:
    configure(world, LAYERS.partition("[tool.lpack.layers.rest]")[0] + WORKER)
    world.write("worker.txt", "alpha\n")
    configure(world, 'slim = "off"\n')
    done = world.run()
    assert done.exit_code == 3, done.explain()
    assert "`api` and `worker` slim it" in done.stderr
