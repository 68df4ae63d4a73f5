"""The zip that lpack built as an asset, and one that CDK lets lpack build."""

import json
import shutil
import subprocess
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

PROJECT = Path(__file__).parents[1] / "app"
MANIFEST = json.loads((PROJECT / "dist/api.lpack.json").read_text())


@jsii.implements(cdk.ILocalBundling)
class LpackBundling:
    """Builds where CDK runs, so that no container is needed."""

    def try_bundle(self, output_dir, options=None, **_):
        subprocess.run(["lpack", "build", "api", "--quiet"], cwd=PROJECT, check=True)
        # CDK takes a single zip as it is, so nothing else may lie beside it.
        shutil.copy(PROJECT / "dist/api.zip", output_dir)
        return True


def function(stack, name, code):
    return lambda_.Function(
        stack,
        name,
        code=code,
        handler=MANIFEST["function"]["handler"],
        runtime=lambda_.Runtime(MANIFEST["target"]["runtime"], lambda_.RuntimeFamily.PYTHON),
        architecture=lambda_.Architecture.X86_64,
    )


app = cdk.App()
stack = cdk.Stack(app, "Orders")
function(stack, "Prebuilt", lambda_.Code.from_asset(str(PROJECT / "dist/api.zip")))
function(
    stack,
    "Bundled",
    lambda_.Code.from_asset(
        str(PROJECT),
        # Named by what came out, so that the same code is never deployed again.
        asset_hash_type=cdk.AssetHashType.OUTPUT,
        bundling=cdk.BundlingOptions(
            image=cdk.DockerImage.from_registry("public.ecr.aws/docker/library/busybox"),
            local=LpackBundling(),
            output_type=cdk.BundlingOutput.ARCHIVED,
        ),
    ),
)
app.synth()
