"""The tools people deploy with, installed by name into a cache; tests that need them skip without.

    python tests/support/deploy_tools.py install     (`make deploy-tools`)

The cache is `$LPACK_TEST_TOOLS` or `.cache/deploy-tools` in the checkout: a virtual environment
for SAM, one for the SDKs of Pulumi and CDK, and a folder of node modules. About 1.5 GB, which is
why nothing here runs by default.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
_ENVIRONMENTS = {
    "sam": ("aws-sam-cli>=1.170",),
    "sdk": ("aws-cdk-lib>=2.200", "constructs>=10", "pulumi>=3.200", "pulumi-aws>=7"),
}
_NODE_MODULES = ("aws-cdk@2", "serverless@3")
_PLACES = {
    "sam": "sam/bin/sam",
    "sdk": "sdk/bin/python",
    "cdk": "node/node_modules/.bin/cdk",
    "serverless": "node/node_modules/.bin/serverless",
}


def tools_folder() -> Path:
    """Where the tools are kept between runs."""
    chosen = os.environ.get("LPACK_TEST_TOOLS")
    return Path(chosen) if chosen else CHECKOUT / ".cache" / "deploy-tools"


def tool(name: str) -> str:
    """The program `name`; skips the test where it is not installed."""
    if name not in _PLACES:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not installed here")
        return found
    path = tools_folder() / _PLACES[name]
    if not path.exists():
        pytest.skip(f"{name} is not installed here: make deploy-tools")
    if name in {"cdk", "serverless"} and shutil.which("node") is None:
        pytest.skip("node is not installed here")
    return str(path)


def run_tool(command: list[str], *, cwd: Path, env: Mapping[str, str], timeout: float = 300) -> str:
    """Run a tool and return what it said; fails the test when the tool fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}"
    return done.stdout


def install() -> None:
    """Install everything; what is there already is brought up to date."""
    folder = tools_folder()
    for name, requirements in _ENVIRONMENTS.items():
        if not (folder / name / "bin" / "python").exists():
            venv.create(folder / name, with_pip=True)
        pip = [str(folder / name / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *requirements], check=True)
    node = folder / "node"
    node.mkdir(parents=True, exist_ok=True)
    (node / "package.json").write_text('{"private": true}\n')
    npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*npm, *_NODE_MODULES], cwd=node, check=True)


if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        sys.exit(__doc__)
    install()
