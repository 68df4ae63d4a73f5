"""What others need for the same: pip with zip, and sam, each pinned, in turn with lpack."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import contenders as names
from speed import table
from support.fixture_wheels import CHECKOUT, TARGETS
from timing import Contender, ContenderFailedError, Sample, run_interleaved
from workload import BIN, Bench

_SAM = "aws-sam-cli==1.170.0"
_WAYS = ("first build", "one-line change", "nothing changed")
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


@dataclass(kw_only=True)
class Peers:
    """Everything measured: (workload, tool, way) with its samples, and what could not be had."""

    rows: list[tuple[str, str, str, list[Sample]]] = field(default_factory=list)
    same_bytes: dict[tuple[str, str], bool] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def to_document(self) -> list[dict[str, Any]]:
        """Everything, ready for JSON."""
        return [
            {
                "workload": workload,
                "tool": tool,
                "way": way,
                "seconds": [round(sample.seconds, 4) for sample in samples],
                "peak_bytes": max(sample.peak_bytes for sample in samples),
                "reproducible": self.same_bytes.get((workload, tool)),
            }
            for workload, tool, way, samples in self.rows
        ]


def measure_peers(kept: Bench, peers: Peers, *, rounds: int) -> None:
    """Let lpack, pip with zip, and sam take turns at the three ways; `kept` was built before."""
    sam = _sam(peers)
    tools: dict[str, tuple[dict[str, Contender], Path]] = {
        "lpack": (_lpack(kept), kept.artifact),
        "pip + zip -9": _pip(kept),
    }
    if sam is not None:
        tools[f"sam build --cached + zip -9 ({_SAM.partition('==')[2]})"] = _with_sam(kept, sam)
    for way in _WAYS:
        taking_part = {tool: ways for tool, (ways, _) in tools.items() if way in ways}
        entrants = [replace(ways[way], rounds=rounds, samples=[]) for ways in taking_part.values()]
        try:
            run_interleaved(entrants)
        except ContenderFailedError as error:
            peers.skipped.append(f"{kept.workload}, {way}: {str(error).splitlines()[-1][:200]}")
            continue
        for tool, entrant in zip(taking_part, entrants, strict=True):
            peers.rows.append((kept.workload, tool, way, entrant.samples))
        if way == _WAYS[0]:
            for tool, (ways, artifact) in tools.items():
                before = artifact.read_bytes()
                ways[way].run_once(keep=False)
                peers.same_bytes[kept.workload, tool] = artifact.read_bytes() == before


def _lpack(kept: Bench) -> dict[str, Contender]:
    def settle() -> None:
        kept.build()
        kept.build()

    build = replace(kept.lpack("lpack"), warm_up=False)
    return {
        "first build": replace(build, prepare=lambda: kept.forget(keep=names.WHEELS)),
        "one-line change": replace(build, prepare=kept.change_handler, warm_up=True),
        "nothing changed": replace(build, prepare=settle),
    }


def _pip(kept: Bench) -> tuple[dict[str, Contender], Path]:
    folder, artifact = kept.folder / "pip-target", kept.folder / "pip.zip"
    target = TARGETS[kept.target]
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    install += ["--only-binary", ":all:", "--python-version", target.python]
    for minor in (17, 24, 26, 28):
        install += ["--platform", f"manylinux_2_{minor}_{target.machine}"]
    install += ["--platform", f"manylinux2014_{target.machine}", "--index-url", kept.index_url]
    install += ["--target", str(folder), "-r", str(kept.project / "requirements.txt")]

    def clean() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        artifact.unlink(missing_ok=True)

    whole = Contender(
        name="pip + zip -9",
        commands=[install, ["cp", str(kept.project / "handler.py"), str(folder)],
                  _zip(folder, artifact)],
        env=kept.runner.environment(),
        prepare=clean,
        warm_up=False,
    )  # fmt: skip
    # pip keeps nothing of a folder that it could go on from: all ways are this one.
    return {_WAYS[0]: whole}, artifact


def _zip(folder: Path, artifact: Path) -> list[str]:
    return [
        "sh",
        "-c",
        'cd "$0" && rm -f "$1" && zip -9 -q -r -X "$1" .',
        str(folder),
        str(artifact),
    ]


def _sam(peers: Peers) -> Path | None:
    """Return the folder of sam's own environment, made when it is not there."""
    home = CHECKOUT / ".cache" / "peers" / _SAM
    program = home / "bin" / "sam"
    if program.exists():
        return home
    make = [[str(BIN / "uv"), "venv", "-q", str(home)],
            [str(BIN / "uv"), "pip", "install", "-q", "--python", str(home / "bin/python"), _SAM],
            [str(home / "bin/python"), "-m", "compileall", "-q", str(home / "lib")]]  # fmt: skip
    for command in make[:2]:
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["uv failed"]
            peers.skipped.append(f"sam: {said[-1][:200]}")
            shutil.rmtree(home, ignore_errors=True)
            return None
    # Without bytecode a peer would compile itself at every start.
    subprocess.run(make[2], capture_output=True, check=False)
    return home


def _with_sam(kept: Bench, home: Path) -> tuple[dict[str, Contender], Path]:
    folder, artifact = kept.folder / "sam", kept.folder / "sam.zip"
    source = folder / "src"
    source.mkdir(parents=True, exist_ok=True)
    runtime, architecture = kept.target.split("-")
    text = _TEMPLATE.format(runtime=runtime, architecture=architecture)
    (folder / "template.yaml").write_text(text)
    for name in ("requirements.txt", "handler.py"):
        shutil.copy(kept.project / name, source / name)
    environment = kept.runner.environment(
        {
            "PATH": os.pathsep.join((str(home / "bin"), "/usr/bin", "/bin")),
            "PIP_INDEX_URL": kept.index_url,
            "SAM_CLI_TELEMETRY": "0",
        }
    )
    build = [str(home / "bin" / "sam"), "build", "--cached"]
    built = folder / ".aws-sam" / "build" / "F"

    def whole(prepare: Callable[[], None]) -> Contender:
        return Contender(
            name="sam",
            commands=[build, _zip(built, artifact)],
            cwd=folder,
            env=environment,
            prepare=prepare,
            warm_up=False,
        )

    def change() -> None:
        kept.change_handler()
        shutil.copy(kept.project / "handler.py", source / "handler.py")

    def forget() -> None:
        shutil.rmtree(folder / ".aws-sam", ignore_errors=True)

    prepares: Sequence[Callable[[], None]] = (forget, change, lambda: None)
    return {way: whole(prepare) for way, prepare in zip(_WAYS, prepares, strict=True)}, artifact


def render_peers(peers: Peers) -> list[str]:
    """Write the section: seconds, how many times lpack's, peak memory, equal bytes or not."""
    lines = ["## Against others", ""]
    rows: dict[str, list[str]] = {}
    for workload, tool, way, samples in peers.rows:
        own = next(r[3] for r in peers.rows if r[:3] == (workload, "lpack", way))
        seconds, ours = _median(samples), _median(own)
        alike = peers.same_bytes.get((workload, tool))
        rows[f"{workload}, {way}, {tool}"] = [
            f"{seconds:.3f}",
            f"{seconds / ours:.1f} ×",
            f"{max(sample.peak_bytes for sample in samples) / 1e6:.0f}",
            {True: "yes", False: "no", None: "not measured"}[alike],
        ]
    columns = ["seconds", "of lpack's time", "peak MB", "two first builds are equal bytes"]
    lines += table("", columns, rows)
    lines += ["", *(f"Not measured: {line}" for line in peers.skipped), ""]
    return lines


def _median(samples: Sequence[Sample]) -> float:
    ordered = sorted(sample.seconds for sample in samples)
    return ordered[len(ordered) // 2]
