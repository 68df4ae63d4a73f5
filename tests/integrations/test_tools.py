"""The real tools take lpack's zip byte for byte; `make deploy-tools` installs them."""

import hashlib
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from integrations.conftest import Examples
from support.aws_world import aws_world
from support.deploy_tools import run_tool, tool, tools_folder

pytestmark = [pytest.mark.slow, pytest.mark.index]

_PULUMI = """
import importlib.util, json, sys
import pulumi

seen = {}


class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        if args.typ == "aws:lambda/function:Function":
            seen.update(args.inputs)
        return f"{args.name}-id", {**args.inputs, "arn": f"arn:aws:::{args.name}"}

    def call(self, args):
        return {}


pulumi.runtime.set_mocks(Mocks())
spec = importlib.util.spec_from_file_location("program", "__main__.py")
program = importlib.util.module_from_spec(spec)


@pulumi.runtime.test
def run():
    spec.loader.exec_module(program)
    return program.api.arn.apply(lambda arn: None)


run()
seen["code"] = seen["code"].path
print(json.dumps({key: value for key, value in seen.items()}, default=str))
"""


@pytest.fixture
def quiet(examples: Examples) -> dict[str, str]:
    """The environment without any tool's telemetry, prompts and look for updates."""
    return examples.environment | {
        "SAM_CLI_TELEMETRY": "0",
        "SLS_TELEMETRY_DISABLED": "1",
        "SLS_NOTIFICATIONS_MODE": "off",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "CDK_DISABLE_VERSION_CHECK": "1",
    }


def _contents(data: Path) -> dict[str, tuple[str, bool]]:
    """Every file of a zip with its digest and whether it may be run."""
    with zipfile.ZipFile(data) as archive:
        return {
            info.filename: (
                hashlib.sha256(archive.read(info)).hexdigest(),
                bool(info.external_attr >> 16 & 0o111),
            )
            for info in archive.infolist()
        }


def _tree(folder: Path) -> dict[str, tuple[str, bool]]:
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            runs = bool(stat.S_IMODE(path.stat().st_mode) & 0o111)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[path.relative_to(folder).as_posix()] = (digest, runs)
    return found


def test_sam_validates_and_uploads_the_prebuilt_zip(
    examples: Examples, quiet: dict[str, str], tmp_path: Path
) -> None:
    sam, folder = tool("sam"), examples.root / "sam"
    said = run_tool([sam, "validate", "--lint"], cwd=folder, env=quiet)
    assert "is a valid SAM Template" in said
    run_tool([sam, "build"], cwd=folder, env=quiet)
    with aws_world(tmp_path / "moto.log") as aws:
        aws.bucket("code")
        template = folder / ".aws-sam" / "build" / "template.yaml"
        words = ["package", "--template-file", str(template), "--s3-bucket", "code"]
        run_tool([sam, *words], cwd=folder, env=quiet | {"AWS_ENDPOINT_URL": aws.url})
        s3 = aws.client("s3")
        (stored,) = s3.list_objects_v2(Bucket="code")["Contents"]
        body = s3.get_object(Bucket="code", Key=stored["Key"])["Body"].read()
    assert body == examples.zip


def test_sam_builds_by_the_makefile(examples: Examples, quiet: dict[str, str]) -> None:
    folder = examples.root / "sam-makefile"
    run_tool([tool("sam"), "build"], cwd=folder, env=quiet)
    built = _tree(folder / ".aws-sam" / "build" / "ApiFunction")
    assert built == _contents(examples.root / "app" / "dist" / "api.zip")
    assert "orders/api.py" in built


def test_cdk_synthesizes_both_assets(examples: Examples, quiet: dict[str, str]) -> None:
    folder = examples.root / "cdk"
    python = Path(tool("sdk")).parent
    environment = quiet | {"PATH": f"{python}{os.pathsep}{quiet['PATH']}"}
    run_tool([tool("cdk"), "synth", "--quiet", "--no-notices"], cwd=folder, env=environment)
    out = folder / "cdk.out"
    (manifest,) = out.glob("*.assets.json")
    files = json.loads(manifest.read_text())["files"].values()
    zips = [each["source"]["path"] for each in files if each["source"]["path"].endswith(".zip")]
    packagings = {e["source"]["packaging"] for e in files if e["source"]["path"].endswith(".zip")}
    assert packagings == {"file"}
    for path in zips:
        assert (out / path).read_bytes() == examples.zip
    template = json.loads((out / "Orders.template.json").read_text())
    functions = [
        resource["Properties"]["Code"]["S3Key"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    assert len(functions) == 2
    assert {key.removesuffix(".zip") for key in functions} <= {
        Path(path).name.removeprefix("asset.").removesuffix(".zip") for path in zips
    }


def test_serverless_packages_the_artifact(examples: Examples, quiet: dict[str, str]) -> None:
    folder = examples.root / "serverless"
    run_tool([tool("serverless"), "package"], cwd=folder, env=quiet)
    state = json.loads((folder / ".serverless" / "serverless-state.json").read_text())
    artifact = state["service"]["functions"]["api"]["package"]["artifact"]
    assert (folder / artifact).read_bytes() == examples.zip
    template = folder / ".serverless" / "cloudformation-template-update-stack.json"
    resources = json.loads(template.read_text())["Resources"]
    (version,) = [r for r in resources.values() if r["Type"] == "AWS::Lambda::Version"]
    assert version["Properties"]["CodeSha256"] == examples.code_sha256


def test_pulumi_hands_over_the_zip(
    examples: Examples, quiet: dict[str, str], tmp_path: Path
) -> None:
    program = tmp_path / "mocked.py"
    program.write_text(_PULUMI)
    said = run_tool([tool("sdk"), str(program)], cwd=examples.root / "pulumi", env=quiet)
    inputs = json.loads(said.splitlines()[-1])
    assert Path(inputs["code"]).read_bytes() == examples.zip
    assert inputs["sourceCodeHash"] == examples.code_sha256
    assert (inputs["handler"], inputs["runtime"]) == ("orders.api.handler", "python3.13")


def test_the_tools_are_where_make_puts_them() -> None:
    if not tools_folder().is_dir():
        pytest.skip("make deploy-tools")
    assert {"node", "sam", "sdk"} <= {path.name for path in tools_folder().iterdir()}
