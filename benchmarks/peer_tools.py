"""Programs of others, each pinned and in an environment of its own, made at the first run."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from support.fixture_wheels import CHECKOUT
from timing import Contender
from workload import BIN, Bench

from packager.runtime.targets import load_target

SAM = "aws-sam-cli==1.170.0"
PEX = "pex==2.105.2"
CHALICE = "chalice==1.34.0"
# chalice lets pip do the work, and not the newest.
_BESIDES = {CHALICE: ("pip==26.2.1", "setuptools==84.2.1", "wheel==0.48.0")}

FIRST, CHANGED, UNCHANGED = WAYS = ("first build", "one-line change", "nothing changed")

_TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: {runtime}
      Architectures: [{architecture}]
      Handler: handler.lambda_handler
      CodeUri: src/
"""
_CHALICE_APP = """\
from chalice import Chalice

app = Chalice(app_name="bench")


@app.lambda_function()
def lambda_handler(event, context):
    from chalicelib import handler
    return handler.lambda_handler(event, context)
"""

Ways = dict[str, Contender]


class ToolMissingError(Exception):
    """A tool could not be installed; the message tells why."""


def tool_home(pinned: str) -> Path:
    """Return the folder of the tool's environment, made when it is not there."""
    home = CHECKOUT / ".cache" / "peers" / pinned
    if (home / "complete").exists():
        return home
    shutil.rmtree(home, ignore_errors=True)
    python = str(home / "bin" / "python")
    wanted = [pinned, *_BESIDES.get(pinned, ())]
    for command in (
        [str(BIN / "uv"), "venv", "-q", str(home)],
        [str(BIN / "uv"), "pip", "install", "-q", "--python", python, *wanted],
    ):
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["uv failed"]
            raise ToolMissingError(f"{pinned.partition('=')[0]}: {said[-1][:200]}")
    # Without bytecode a peer would compile itself at every start.
    compiling = [python, "-m", "compileall", "-q", str(home / "lib")]
    subprocess.run(compiling, capture_output=True, check=False)
    (home / "complete").touch()
    return home


def zip_command(folder: Path, artifact: Path) -> list[str]:
    """Return the command that packs `folder` as `artifact`."""
    text = 'cd "$0" && rm -f "$1" && zip -9 -q -r -X "$1" .'
    return ["sh", "-c", text, str(folder), str(artifact)]


def with_sam(kept: Bench) -> tuple[Ways, Path]:
    """`sam build --cached` and `zip -9`, because sam zips only when it deploys."""
    home, folder, artifact = tool_home(SAM), kept.folder / "sam", kept.folder / "sam.zip"
    runtime, architecture = kept.target.split("-")
    source = _project(kept, folder / "src")
    text = _TEMPLATE.format(runtime=runtime, architecture=architecture)
    (folder / "template.yaml").write_text(text)
    built = folder / ".aws-sam" / "build" / "F"
    return _ways(
        kept,
        [[str(home / "bin" / "sam"), "build", "--cached"], zip_command(built, artifact)],
        home=home,
        folder=folder,
        handler=source / "handler.py",
        forget=lambda: shutil.rmtree(folder / ".aws-sam", ignore_errors=True),
        variables={"SAM_CLI_TELEMETRY": "0"},
    ), artifact


def with_pex(kept: Bench) -> tuple[Ways, Path]:
    """`pex` for the target, then `pex3 venv create --layout flat-zipped`, as Pants does it."""
    home, folder = tool_home(PEX), kept.folder / "pex"
    source = _project(kept, folder / "src")
    (source / "requirements.txt").unlink()
    runtime, architecture = kept.target.split("-")
    target = load_target(runtime, architecture)
    platform = folder / "platform.json"
    known = {
        "compatible_tags": [str(tag) for tag in target.tags],
        "marker_environment": dict(target.marker_environment),
    }
    platform.write_text(json.dumps(known))
    packed, made = folder / "app.pex", folder / "made"
    foreign = ["--complete-platform", str(platform)]
    resolve = [str(home / "bin" / "pex"), "--no-pypi", "--index-url", kept.index_url, *foreign]
    resolve += ["--layout", "packed", "-D", str(source), "-o", str(packed)]
    resolve += ["-r", str(kept.project / "requirements.txt")]
    flatten = [str(home / "bin" / "pex3"), "venv", "create", "--layout", "flat-zipped", *foreign]
    flatten += ["--force", "--pex-repository", str(packed), "-d", str(made)]

    def forget() -> None:
        for path in (packed, made):
            shutil.rmtree(path, ignore_errors=True)

    # pex keeps links to the files it saw: an edit in place would change what it remembers.
    return _ways(
        kept, [resolve, flatten], home=home, folder=folder, handler=source / "handler.py",
        forget=forget, variables={"PEX_ROOT": str(folder / "root")},
    ), folder / "made.zip"  # fmt: skip


def with_chalice(kept: Bench) -> tuple[Ways, Path]:
    """`chalice package`, which needs no account; the workload's handler is in `chalicelib`."""
    home, folder = tool_home(CHALICE), kept.folder / "chalice"
    source = _project(kept, folder / "chalicelib")
    (source / "requirements.txt").replace(folder / "requirements.txt")
    (source / "__init__.py").touch()
    (folder / "app.py").write_text(_CHALICE_APP)
    (folder / ".chalice").mkdir()
    settings = {"version": "2.0", "app_name": "bench", "stages": {"dev": {}}}
    (folder / ".chalice" / "config.json").write_text(json.dumps(settings))

    def forget() -> None:
        for path in (folder / "out", folder / ".chalice" / "deployments"):
            shutil.rmtree(path, ignore_errors=True)

    return _ways(
        kept, [[str(home / "bin" / "chalice"), "package", "out"]], home=home, folder=folder,
        handler=source / "handler.py", forget=forget,
        variables={"AWS_DEFAULT_REGION": "us-east-1"},
    ), folder / "out" / "deployment.zip"  # fmt: skip


def _project(kept: Bench, source: Path) -> Path:
    """Copy the workload's files to a new folder."""
    shutil.rmtree(source.parent, ignore_errors=True)
    source.mkdir(parents=True)
    for name in ("requirements.txt", "handler.py"):
        shutil.copy(kept.project / name, source / name)
    return source


def _ways(
    kept: Bench,
    commands: Sequence[Sequence[str]],
    *,
    home: Path,
    folder: Path,
    handler: Path,
    forget: Callable[[], None],
    variables: Mapping[str, str],
) -> Ways:
    """Return the three ways; `forget` removes what was built, and the tool's caches stay."""
    environment = kept.runner.environment(
        {
            "PATH": os.pathsep.join((str(home / "bin"), "/usr/bin", "/bin")),
            "PIP_INDEX_URL": kept.index_url,
            **variables,
        }
    )

    def change() -> None:
        kept.change_handler()
        handler.unlink()
        shutil.copy(kept.project / "handler.py", handler)

    prepares: Mapping[str, Callable[[], None]] = {
        FIRST: forget,
        CHANGED: change,
        UNCHANGED: lambda: None,
    }
    return {
        way: Contender(
            name=way,
            commands=commands,
            cwd=folder,
            env=environment,
            prepare=prepare,
            warm_up=False,
        )
        for way, prepare in prepares.items()
    }
