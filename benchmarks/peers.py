"""What others need for the same: pip with zip, sam, pex and chalice, pinned, in turn with lpack."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import contenders as names
from peer_tools import (
    CHALICE,
    CHANGED,
    FIRST,
    PEX,
    SAM,
    UNCHANGED,
    WAYS,
    ToolMissingError,
    Ways,
    with_chalice,
    with_pex,
    with_sam,
    zip_command,
)
from speed import table
from support.fixture_wheels import TARGETS
from timing import Contender, ContenderFailedError, Sample, run_interleaved
from workload import Bench

OWN = "lpack"
# lpack's ways are cheap, and every ratio of the table has one of them below the line.
_OWN_ROUNDS = 5
_OTHERS: dict[str, Callable[[Bench], tuple[Ways, Path]]] = {
    f"sam build --cached + zip -9 ({SAM.partition('==')[2]})": with_sam,
    f"pex + pex3 venv create ({PEX.partition('==')[2]})": with_pex,
    f"chalice package ({CHALICE.partition('==')[2]})": with_chalice,
}


@dataclass(kw_only=True)
class Peers:
    """Everything measured: (workload, tool, way) with its samples, and what could not be had."""

    rows: list[tuple[str, str, str, list[Sample]]] = field(default_factory=list)
    same_bytes: dict[tuple[str, str], bool] = field(default_factory=dict)
    zip_bytes: dict[tuple[str, str], int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def to_document(self) -> list[dict[str, Any]]:
        """Everything, ready for JSON."""
        return [
            {
                "workload": workload,
                "tool": tool,
                "way": way,
                "seconds": [round(sample.seconds, 4) for sample in samples],
                "zip_bytes": self.zip_bytes[workload, tool],
                "peak_bytes": max(sample.peak_bytes for sample in samples),
                "reproducible": self.same_bytes.get((workload, tool)),
            }
            for workload, tool, way, samples in self.rows
        ]


def measure_peers(kept: Bench, peers: Peers, *, rounds: int) -> None:
    """Let lpack and the others take turns at the three ways; `kept` was built before."""
    tools = {OWN: (_lpack(kept), kept.artifact), "pip + zip -9": _pip(kept)}
    for name, make in _OTHERS.items():
        try:
            tools[name] = make(kept)
        except ToolMissingError as error:
            peers.skipped.append(f"{kept.workload}, {error}")
    for way in WAYS:
        for tool in [tool for tool, (ways, _) in tools.items() if way in ways]:
            try:
                own = max(rounds, _OWN_ROUNDS) if tool == OWN else rounds
                samples = _samples(tools[tool][0][way], own)
            except ContenderFailedError as error:
                said = str(error).strip().splitlines()[-1][:200]
                peers.skipped.append(f"{kept.workload}, {tool}, {way}: {said}")
                del tools[tool]
            else:
                peers.rows.append((kept.workload, tool, way, samples))
        if way == FIRST:
            _compare(kept, tools, peers)


def _samples(contender: Contender, rounds: int) -> list[Sample]:
    entrant = replace(contender, rounds=rounds, samples=[])
    run_interleaved([entrant])
    return entrant.samples


def _compare(kept: Bench, tools: dict[str, tuple[Ways, Path]], peers: Peers) -> None:
    """Build once more and note the bytes, and whether they are the same."""
    for tool, (ways, artifact) in tools.items():
        # Digests only: what this process holds is in the peaks of all that it starts.
        before = _digest(artifact)
        peers.zip_bytes[kept.workload, tool] = artifact.stat().st_size
        ways[FIRST].run_once(keep=False)
        peers.same_bytes[kept.workload, tool] = _digest(artifact) == before


def _digest(artifact: Path) -> str:
    with artifact.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lpack(kept: Bench) -> dict[str, Contender]:
    def settle() -> None:
        kept.build()
        kept.build()

    build = replace(kept.lpack(OWN), warm_up=False)
    return {
        FIRST: replace(build, prepare=lambda: kept.forget(keep=names.WHEELS)),
        CHANGED: replace(build, prepare=kept.change_handler, warm_up=True),
        UNCHANGED: replace(build, prepare=settle),
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
                  zip_command(folder, artifact)],
        env=kept.runner.environment(),
        prepare=clean,
        warm_up=False,
    )  # fmt: skip
    # pip keeps nothing of a folder that it could go on from: all ways are this one.
    return {FIRST: whole}, artifact


def render_peers(peers: Peers) -> list[str]:
    """Write the section: seconds, how many times lpack's, peak memory, equal bytes or not."""
    lines = ["## Against others", ""]
    rows: dict[str, list[str]] = {}
    for workload, tool, way, samples in peers.rows:
        own = next(r[3] for r in peers.rows if r[:3] == (workload, OWN, way))
        seconds, ours = _median(samples), _median(own)
        alike = peers.same_bytes.get((workload, tool))
        rows[f"{workload}, {way}, {tool}"] = [
            f"{seconds:.3f}",
            f"{seconds / ours:.1f} ×",
            f"{max(sample.peak_bytes for sample in samples) / 1e6:.0f}",
            f"{peers.zip_bytes[workload, tool] / 1e6:.1f}",
            {True: "yes", False: "no", None: "not measured"}[alike],
        ]
    columns = ["seconds", "of lpack's time", "peak MB", "zip MB", "two first builds are equal"]
    lines += table("", columns, rows)
    lines += ["", *(f"- Not measured: {line}" for line in peers.skipped)]
    if peers.skipped:
        lines.append("")
    return lines


def _median(samples: Sequence[Sample]) -> float:
    ordered = sorted(sample.seconds for sample in samples)
    return ordered[len(ordered) // 2]
