"""What a real build makes of layers and of archives for /tmp gets to AWS, each once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.aws_world import aws_world
from support.fixture_wheels import CHECKOUT
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner

_OFFLOAD = """[tool.lpack]
offload = ["charset-normalizer"]
offload-from = "s3"
offload-url = "s3://code/archives"
"""
_LAYER = '\n[tool.lpack.layers.deps]\ndistributions = ["idna"]\n'


@pytest.mark.slow
@pytest.mark.index
def test_a_layer_and_an_archive(
    tmp_path: Path, shared_lpack: LpackRunner, real_index: Callable[[str], IndexServer]
) -> None:
    project, index = tmp_path / "app", real_index("python3.13-x86_64")
    ignored = shutil.ignore_patterns("dist")
    shutil.copytree(CHECKOUT / "examples" / "app", project, ignore=ignored)
    settings = project / "pyproject.toml"
    text = settings.read_text().replace("[tool.lpack]\n", _OFFLOAD)
    settings.write_text(text + _LAYER)
    shared_lpack.ok("build", "--index-url", index.url, cwd=project)
    with aws_world(tmp_path / "moto.log") as aws:
        aws.bucket("code", versioned=True)
        aws.function("api", b"PK\x05\x06" + bytes(18))
        outcomes = []
        for argv in (("layer", "deps"), ("zip", "--function-name", "api")) * 2:
            done = shared_lpack.run(
                "publish", *argv, "--output-format", "json", cwd=project, env=aws.environment
            )
            assert done.exit_code == 0, done.explain()
            outcomes += [each["outcome"] for each in json.loads(done.stdout)["published"]]
        assert outcomes == ["uploaded"] * 3 + ["unchanged"] * 3
        manifest = json.loads((project / "dist" / "api.lpack.json").read_text())
        settled = aws.client("lambda").get_function_configuration(FunctionName="api")
        assert settled["CodeSha256"] == manifest["artifact"]["code_sha256"]
        (archive,) = manifest["offload"]["archives"]
        (version,) = aws.client("s3").list_object_versions(Bucket="code")["Versions"]
        assert (archive["key"], archive["object_version"]) == (version["Key"], version["VersionId"])
