"""Artifacts of the tools people deploy with, made by the tools themselves, counted by hand.

Each tool is installed from the index into an environment of its own, which takes minutes:
`make test-all` runs them. Without the index or the tool a test skips.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.fixture_wheels import CHECKOUT
from support.foreign_artifacts import (
    HANDLER,
    Counted,
    count_folder,
    count_zip,
    distributions_of,
    run,
)
from support.lpack_runner import LpackRunner

SCHEMA = json.loads((CHECKOUT / "packager/report/artifact_report.schema.json").read_text())
REQUIREMENTS = "requests\npyyaml\n"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
_KEPT = ("PATH", "PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CONFIG_FILE")
_QUIET = {
    "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0", "SLS_TELEMETRY_DISABLED": "1",
    "SLS_NOTIFICATIONS_MODE": "off", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}  # fmt: skip

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, and only what the network and the index need of this one's settings."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    configuration = Path.home() / ".config" / "pip" / "pip.conf"
    if configuration.is_file():
        kept.setdefault("PIP_CONFIG_FILE", str(configuration))
    home = tmp_path / "home"
    home.mkdir()
    return {**kept, **_QUIET, "HOME": str(home), "LANG": "C.UTF-8"}


@pytest.fixture
def tool(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Path]:
    """Install a tool from the index; returns the folder of its programs."""

    def install(*requirements: str, folder: str = "tool") -> Path:
        venv.create(tmp_path / folder, with_pip=True)
        programs = tmp_path / folder / "bin"
        done = subprocess.run(
            [programs / "python", "-m", "pip", "install", "--quiet", *requirements],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"{requirements[0]} cannot be installed: {done.stderr.strip()[-200:]}")
        return programs

    return install


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(HANDLER)
    (folder / "requirements.txt").write_text(REQUIREMENTS)
    return folder


@pytest.fixture
def report(lpack: LpackRunner) -> Callable[[Path], dict[str, Any]]:
    def reported(artifact: Path) -> dict[str, Any]:
        arguments = ("report", artifact.name, "--output-format", "json")
        document: dict[str, Any] = json.loads(lpack.ok(*arguments, cwd=artifact.parent).stdout)
        jsonschema.validate(document, SCHEMA)
        # Every format is made of it without a crash.
        for output_format in ("text", "markdown", "html"):
            lpack.ok("report", artifact.name, "--output-format", output_format, cwd=artifact.parent)
        return document

    return reported


def check(
    document: dict[str, Any], counted: Counted, *, guessed: Mapping[str, str] | None = None
) -> None:
    """Hold the report against the count; `guessed` have no metadata that others could count."""
    found = {each["name"]: each["version"] for each in document["distributions"]}
    assert found == {**counted.distributions, **(guessed or {})}
    by_guess = {e["name"] for e in document["distributions"] if e["evidence"] == "guess"}
    assert by_guess == set(guessed or {})
    artifact = document["artifact"]
    assert artifact["entries"] == counted.entries
    assert artifact["uncompressed_bytes"] == counted.uncompressed_bytes
    assert artifact["compressed_bytes"] == counted.compressed_bytes
    owners = [*document["distributions"], document["code"]]
    assert sum(each["uncompressed_bytes"] for each in owners) == counted.uncompressed_bytes


def code_names(document: dict[str, Any]) -> set[str]:
    return {row[0] for row in document["code"]["files"]}


def test_sam_build(
    project: Path, tool: Callable[..., Path], environment: dict[str, str], report: Any
) -> None:
    programs = tool("aws-sam-cli")
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {
            "CodeUri": ".", "Handler": "app.handler", "Runtime": RUNTIME,
            "Architectures": ["x86_64"],
        }}},
    }  # fmt: skip
    (project / "template.json").write_text(json.dumps(template))
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    run(str(programs / "sam"), "build", "-t", "template.json", cwd=project,
        env={**environment, "PATH": path})  # fmt: skip
    folder = project / ".aws-sam" / "build" / "F"
    document = report(folder)
    check(document, count_folder(folder))
    assert code_names(document) == {"app.py", "requirements.txt", "template.json"}


def test_chalice_package(
    project: Path, tool: Callable[..., Path], environment: dict[str, str], report: Any
) -> None:
    programs = tool("chalice", "setuptools", "wheel", *REQUIREMENTS.split())
    (project / ".chalice").mkdir()
    settings = {"version": "2.0", "app_name": "shop", "stages": {"dev": {}}}
    (project / ".chalice" / "config.json").write_text(json.dumps(settings))
    (project / "app.py").write_text(
        "import requests\nfrom chalice import Chalice\n\napp = Chalice(app_name='shop')\n\n\n"
        "@app.lambda_function()\ndef handle(event, context):\n    return requests.__version__\n"
    )
    path = f"{programs}:{environment['PATH']}"
    run(str(programs / "chalice"), "package", "out", cwd=project, env={**environment, "PATH": path})
    artifact = project / "out" / "deployment.zip"
    document = report(artifact)
    counted = count_zip(artifact, project.parent / "unpacked")
    # chalice copies its own runtime part in, without any metadata.
    check(document, counted, guessed={"chalice": ""})
    assert "app.py" in code_names(document)


def test_zappa_package(
    project: Path, tool: Callable[..., Path], environment: dict[str, str], report: Any
) -> None:
    programs = tool("zappa", *REQUIREMENTS.split())
    settings = {"dev": {
        "app_function": "app.handler", "project_name": "shop", "runtime": RUNTIME,
        "s3_bucket": "shop-bucket", "aws_region": "us-east-1", "slim_handler": False,
    }}  # fmt: skip
    (project / "zappa_settings.json").write_text(json.dumps(settings))
    path = f"{programs}:{environment['PATH']}"
    run(str(programs / "zappa"), "package", "dev", cwd=project,
        env={**environment, "PATH": path, "VIRTUAL_ENV": str(programs.parent)})  # fmt: skip
    artifact = next(project.glob("shop-dev-*.zip"))
    document = report(artifact)
    check(document, count_zip(artifact, project.parent / "unpacked"))
    codes = {each["code"] for each in document["findings"]}
    # zappa ships boto3 and botocore, which the runtime has.
    assert {"LP501", "LP503"} <= codes


def test_pex(
    project: Path, tool: Callable[..., Path], environment: dict[str, str], report: Any
) -> None:
    programs = tool("pex")
    run(str(programs / "pex"), *REQUIREMENTS.split(), "-D", ".", "-o", "app.pex", cwd=project,
        env=environment)  # fmt: skip
    artifact = project / "app.pex"
    with zipfile.ZipFile(artifact) as archive:
        roots = {"/".join(name.split("/")[:2]) for name in archive.namelist() if "/" in name}
    wheels = sorted(root for root in roots if root.startswith(".deps/"))
    assert wheels
    document = report(artifact)
    counted = count_zip(artifact, project.parent / "unpacked", roots=wheels)
    check(document, counted, guessed={"pex": ""})
    assert {"app.py", "PEX-INFO"} <= code_names(document)


@pytest.mark.parametrize("slim", [True, False])
def test_serverless(
    slim: bool, project: Path, tmp_path: Path, environment: dict[str, str], report: Any
) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    installed = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", "serverless@3",
         "serverless-python-requirements@6"],
        cwd=project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if installed.returncode:
        pytest.skip(f"serverless cannot be installed: {installed.stderr.strip()[-200:]}")
    (project / "serverless.yml").write_text(
        f"service: shop\nframeworkVersion: '3'\nprovider: {{name: aws, runtime: {RUNTIME}}}\n"
        "plugins: [serverless-python-requirements]\ncustom:\n  pythonRequirements:\n"
        f"    dockerizePip: false\n    slim: {str(slim).lower()}\n    pythonBin: {sys.executable}\n"
        "package: {patterns: ['!node_modules/**', '!package*.json']}\n"
        "functions: {f: {handler: app.handler}}\n"
    )
    run("node_modules/.bin/serverless", "package", cwd=project, env=environment)
    artifact = project / ".serverless" / "shop.zip"
    document = report(artifact)
    counted = count_zip(artifact, tmp_path / "unpacked")
    if not slim:
        check(document, counted)
        return
    # Slimming deletes `.dist-info`: what pip installed is read from its cache of requirements.
    assert counted.distributions == {}
    tops = {name.split("/")[0] for name in zipfile.ZipFile(artifact).namelist() if "/" in name}
    by_hand = {
        "certifi": "certifi", "charset_normalizer": "charset-normalizer", "idna": "idna",
        "requests": "requests", "urllib3": "urllib3", "yaml": "pyyaml", "_yaml": "pyyaml",
    }  # fmt: skip
    found = {each["name"]: each["evidence"] for each in document["distributions"]}
    assert found == {by_hand[top]: "guess" for top in tops if top in by_hand}
    assert {"requests", "pyyaml"} <= found.keys()
    assert "app.py" in code_names(document)


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="`skopeo` is not installed")
@pytest.mark.skipif(shutil.which("umoci") is None, reason="`umoci` is not installed")
def test_docker_archive_of_skopeo(
    project: Path, tmp_path: Path, tool: Callable[..., Path], report: Any
) -> None:
    programs = tool("requests")
    site = next((programs.parent / "lib").glob("python*/site-packages"))
    layout, bundle = tmp_path / "layout", tmp_path / "bundle"
    image = f"{layout}:latest"
    run("umoci", "init", "--layout", str(layout), cwd=tmp_path)
    run("umoci", "new", "--image", image, cwd=tmp_path)
    run("umoci", "unpack", "--rootless", "--image", image, str(bundle), cwd=tmp_path)
    root = bundle / "rootfs"
    shutil.copytree(site, root / "usr/lib/python3/site-packages")
    shutil.copytree(project, root / "var/task")
    run("umoci", "repack", "--image", image, str(bundle), cwd=tmp_path)
    archive = tmp_path / "image.tar"
    run("skopeo", "copy", "--quiet", f"oci:{image}", f"docker-archive:{archive}:shop:1",
        cwd=tmp_path)  # fmt: skip
    document = report(archive)
    found = {each["name"]: each["version"] for each in document["distributions"]}
    assert found == distributions_of(root, ("usr/lib/python3/site-packages",))
    counted = count_folder(root)
    assert document["artifact"]["uncompressed_bytes"] == counted.uncompressed_bytes
    assert code_names(document) >= {"var/task/app.py", "var/task/requirements.txt"}
