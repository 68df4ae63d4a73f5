"""The zip that lpack built, as a function."""

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

DIST = Path(__file__).parents[1] / "app/dist"
MANIFEST = json.loads((DIST / "api.lpack.json").read_text())

role = aws.iam.Role(
    "api",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }
            ],
        }
    ),
)

api = aws.lambda_.Function(
    "api",
    role=role.arn,
    code=pulumi.FileArchive(str(DIST / MANIFEST["artifact"]["path"])),
    source_code_hash=MANIFEST["artifact"]["code_sha256"],
    handler=MANIFEST["function"]["handler"],
    runtime=MANIFEST["target"]["runtime"],
    architectures=[MANIFEST["target"]["architecture"]],
)
pulumi.export("arn", api.arn)
