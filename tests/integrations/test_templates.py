"""What the examples say, held against the tools' own schemas: quick, and without the tools."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from integrations.conftest import Examples
from support.deploy_tools import run_tool, tool
from support.fixture_wheels import CHECKOUT

EXAMPLES = CHECKOUT / "examples"
SCHEMA: dict[str, Any] = json.loads(
    (CHECKOUT / "tests" / "cases" / "integrations" / "terraform.json").read_text()
)
TEMPLATES = ("sam", "sam-makefile", "cloudformation")
MANIFEST_FACTS = {"Handler": "orders.api.handler", "Runtime": "python3.13"}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions."""


_Loader.add_multi_constructor("!", lambda _loader, suffix, node: (suffix, str(node.value)))


def test_cfn_lint_accepts_the_templates() -> None:
    templates = [EXAMPLES / name / "template.yaml" for name in TEMPLATES]
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, *templates], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_template_agrees_with_the_manifest(name: str) -> None:
    template = yaml.load((EXAMPLES / name / "template.yaml").read_text(), _Loader)  # noqa: S506 -- a SafeLoader
    properties = template["Resources"]["ApiFunction"]["Properties"]
    assert MANIFEST_FACTS.items() <= properties.items()
    assert properties["Architectures"] == ["x86_64"]


def test_serverless_names_the_artifact() -> None:
    service = yaml.safe_load((EXAMPLES / "serverless" / "serverless.yml").read_text())
    function = service["functions"]["api"]
    assert service["package"] == {"individually": True}
    assert function["package"] == {"artifact": "../app/dist/api.zip"}
    assert function["handler"] == MANIFEST_FACTS["Handler"]
    assert service["provider"]["runtime"] == MANIFEST_FACTS["Runtime"]


@pytest.mark.parametrize("kind", ["aws_lambda_function", "aws_iam_role"])
def test_terraforms_arguments_are_the_providers(kind: str) -> None:
    text = (EXAMPLES / "terraform" / "main.tf").read_text()
    block = re.search(rf'^resource "{kind}" "\w+" {{\n(.*?)^}}', text, re.MULTILINE | re.DOTALL)
    assert block is not None
    given = set(re.findall(r"^  (\w+)\s*=", block[1], re.MULTILINE))
    schema = SCHEMA[kind]
    assert set(schema["required"]) <= given
    assert len(given & set(schema["exactly_one"])) == min(1, len(schema["exactly_one"]))
    assert given <= {*schema["required"], *schema["exactly_one"], *schema["optional"]}


def test_terraform_reads_the_manifest(examples: Examples, tmp_path: Path) -> None:
    terraform = tool("terraform")
    run_tool(
        [terraform, "fmt", "-check"], cwd=examples.root / "terraform", env=examples.environment
    )
    # The provider is not in any package registry; what lpack hands over is evaluated without it.
    folder = tmp_path / "examples" / "only-the-artifact"
    folder.mkdir()
    artifact = (examples.root / "terraform" / "artifact.tf").read_text()
    outputs = """
output "file_hash" { value = filebase64sha256(local.artifact) }
output "said_hash" { value = local.manifest.artifact.code_sha256 }
output "runtime" { value = local.manifest.target.runtime }
output "architecture" { value = local.manifest.target.architecture }
output "handler" { value = local.manifest.function.handler }
"""
    (folder / "artifact.tf").write_text(artifact + outputs)
    for words in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        run_tool([terraform, *words, "-no-color"], cwd=folder, env=examples.environment)
    said = run_tool([terraform, "output", "-json"], cwd=folder, env=examples.environment)
    values = {name: each["value"] for name, each in json.loads(said[said.index("{") :]).items()}
    assert values == {
        "file_hash": examples.code_sha256,
        "said_hash": examples.code_sha256,
        "runtime": "python3.13",
        "architecture": "x86_64",
        "handler": "orders.api.handler",
    }
