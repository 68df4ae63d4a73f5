"""Offloaded from the zip and from S3, a function answers as the plain one does."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import sandbox_world
from support.aws_world import REGION, AwsWorld, aws_world
from support.fixture_wheels import workload_requirements
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner

pytestmark = pytest.mark.index

TARGET = sandbox_world.TARGET
LIGHT = """
import jinja2
from importlib.metadata import version

def handler(event, context):
    text = jinja2.Template("{{ x }}!").render(x=event["x"])
    return {"text": text, "version": version("jinja2")}
"""
HEAVY = {
    "W2": ("pyarrow", "pandas", "numpy"),
    "W3": ("scipy", "scikit-learn", "pandas", "numpy"),
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsWorld]:
    with aws_world(tmp_path_factory.mktemp("moto") / "log") as world:
        world.bucket("archives", versioned=True)
        yield world


def answers(
    lpack: LpackRunner,
    folder: Path,
    index: IndexServer,
    aws: AwsWorld,
    names: tuple[str, ...],
    event: str,
) -> list[object]:
    """What the function answers plain, nested and from S3."""
    folder.mkdir(exist_ok=True)
    runtime, architecture = TARGET.split("-")
    settings = f'runtime = "{runtime}"\narchitecture = "{architecture}"\nupload = "s3"\n'
    (folder / "lpack.toml").write_text(settings)
    chosen = [part for name in names for part in ("--offload", name)]
    fetched = [*chosen, "--offload-from", "s3", "--offload-url", "s3://archives/p"]
    found = []
    for form in ([], chosen, fetched):
        lpack.ok("build", "--index-url", index.url, *form, cwd=folder)
        if form == fetched:
            place = ("--s3", "s3://archives/code/")
            lpack.ok("publish", "zip", *place, cwd=folder, env=aws.environment)
            [path] = (folder / "dist").glob("*.lpack.json")
            archives = json.loads(path.read_text(encoding="utf-8"))["offload"]["archives"]
            assert all(each["object_version"] for each in archives)
            lpack.ok("verify", "--no-import", cwd=folder)
        variables = ("--env", f"AWS_ENDPOINT_URL_S3={aws.url}", "--env", f"AWS_REGION={REGION}")
        arguments = (event, "--index-url", index.url, "--timeout", "120", *variables)
        found.append(json.loads(lpack.ok("invoke", *arguments, cwd=folder).stdout))
    return found


def test_a_light_function(
    shared_lpack: LpackRunner,
    real_index: Callable[[str], IndexServer],
    aws: AwsWorld,
    tmp_path: Path,
) -> None:
    sandbox_world.interpreter()
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(LIGHT)
    (folder / "requirements.txt").write_text("jinja2\n")
    index = real_index(TARGET)
    found = answers(shared_lpack, folder, index, aws, ("jinja2+",), '{"x": 1}')
    plain, *others = found
    assert isinstance(plain, dict)
    assert plain["text"] == "1!"
    assert others == [plain, plain]


@pytest.mark.slow
@pytest.mark.parametrize("workload", HEAVY)
def test_a_heavy_function(
    shared_lpack: LpackRunner,
    real_index: Callable[[str], IndexServer],
    aws: AwsWorld,
    tmp_path: Path,
    workload: str,
) -> None:
    sandbox_world.interpreter()
    folder = tmp_path / workload
    folder.mkdir()
    requirements = workload_requirements(workload, TARGET)
    (folder / "requirements.txt").write_bytes(requirements.read_bytes())
    handler = requirements.with_name("handler.py").read_bytes()
    (folder / "handler.py").write_bytes(handler)
    index = real_index(TARGET)
    plain, *others = answers(shared_lpack, folder, index, aws, HEAVY[workload], "{}")
    assert others == [plain, plain]
