"""Images with a Python of their own: they answer as the zip does, with their own files as root.

AWS's base images cannot be pulled here: the base is a root file system made from this machine's
Python, to which lpack adds AWS's Runtime API client.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support import sandbox_world
from support.fixture_wheels import workload_requirements
from support.image_world import documents, files_below, unpacked_by_umoci
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.python_root import make_python_root
from support.readers import read_with_python

pytestmark = pytest.mark.index

TARGET = sandbox_world.TARGET
APP = """
import os, sys
import jinja2

def handler(event, context):
    return {"event": event, "said": jinja2.Template("{{ x }}!").render(x=event["x"]),
            "python": list(sys.version_info[:2]), "table": os.environ.get("TABLE")}
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system with the target's Python; skips without one."""
    return make_python_root(tmp_path_factory.mktemp("root") / "fs", sandbox_world.interpreter())


def write_project(folder: Path, base: Path, *, code: str, requirements: str, handler: str) -> None:
    """Write a project that can be built as an image and as a zip."""
    folder.mkdir()
    (folder / "app.py").write_text(code)
    (folder / "requirements.txt").write_text(requirements)
    runtime, architecture = TARGET.split("-")
    (folder / "lpack.toml").write_text(
        f'runtime = "{runtime}"\narchitecture = "{architecture}"\nupload = "s3"\n'
        f'[image]\nbase = "{base}"\n[functions.api]\nhandler = "{handler}"\nsource = ["app.py"]\n'
    )


def answers(lpack: LpackRunner, folder: Path, index: IndexServer, event: str) -> list[object]:
    """Build as an image, then as a zip without subtraction, and ask both."""
    found = []
    for package in ("image", "zip"):
        arguments = ("--index-url", index.url, "--package-type", package, "--subtract", "never")
        done = lpack.run("build", *arguments, "--target-dir", package, cwd=folder)
        assert done.exit_code in (0, 1), done.explain()
        place = ("--artifact", package, "--index-url", index.url, "--env", "TABLE=orders")
        asked = lpack.run("invoke", event, *place, "--timeout", "120", cwd=folder)
        assert asked.exit_code == 0, asked.explain()
        found.append(json.loads(asked.stdout))
    return found


def test_an_image_answers_as_the_zip(
    base: Path,
    real_index: Callable[[str], IndexServer],
    shared_lpack: LpackRunner,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "project"
    write_project(folder, base, code=APP, requirements="jinja2\n", handler="app.handler")
    one, two = answers(shared_lpack, folder, real_index(TARGET), '{"x": "hello"}')
    assert one == two
    assert isinstance(one, dict)
    assert (one["said"], one["table"], one["python"]) == ("hello!", "orders", [3, 11])
    manifest = json.loads((folder / "image/api.lpack.json").read_text())
    assert manifest["image"]["base"]["kind"] == "files"
    added = {d["name"]: d for d in manifest["distributions"]}["awslambdaric"]
    assert "has no client" in added["required_by"][0]["origin"]
    config = documents(folder / "image/api.oci")[1]["config"]
    assert config["Entrypoint"] == ["python", "-m", "awslambdaric"]
    verified = shared_lpack.run("verify", "--no-import", "image", cwd=folder)
    assert verified.exit_code == 0, verified.explain()


@pytest.mark.slow
@pytest.mark.parametrize("workload", ["W2", "W3"])
def test_workloads_as_images(
    workload: str,
    base: Path,
    real_index: Callable[[str], IndexServer],
    shared_lpack: LpackRunner,
    tmp_path: Path,
) -> None:
    listed = workload_requirements(workload, TARGET)
    pins = "\n".join(re.findall(r"^[\w.-]+==[^\s\\;]+", listed.read_text(), re.MULTILINE))
    code = listed.with_name("handler.py").read_text()
    folder = tmp_path / "project"
    write_project(folder, base, code=code, requirements=f"{pins}\n", handler="app.lambda_handler")
    one, two = answers(shared_lpack, folder, real_index(TARGET), "{}")
    assert one == two
    root = unpacked_by_umoci(folder / "image/api.oci", tmp_path / "umoci")
    image, in_zip = files_below(root / "var/task"), read_with_python(folder / "zip/api.zip")
    # The image has AWS's client besides; everything else is the same, byte by byte.
    client = re.compile(r"(awslambdaric|simplejson|snapshot_restore_py|runtime_client)")
    assert {name: image[name] for name in image if not client.match(name)} == in_zip
