"""Images: how long a build takes beside `cp` of its blobs, and what a push sends."""

import hashlib
import shutil
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from contenders import DIGEST, START
from support.image_world import write_aws_like_base
from support.scripted_registry import serving_registry
from timing import Contender, run_interleaved
from workload import Bench

_MB = 1_000_000
_HEAD = (
    "| workload | own layers | MB, gzipped / tars | first | start | cp | sha256 | layers kept "
    "| ÷ cp (≤ 3) | ÷ (start + cp) | ÷ (start + cp + sha256) | one line changed | ÷ cp "
    "| ÷ (start + cp) | MB sent | MB sent after one line |"
)


@dataclass(kw_only=True)
class ImageResult:
    """One workload on a base like AWS's. Times are medians in seconds, sizes bytes."""

    workload: str
    layers: int
    compressed_bytes: int
    uncompressed_bytes: int
    first: float
    start: float
    copy: float
    digest: float
    whole: float
    changed: float
    sent_first: int
    sent_changed: int

    @property
    def row(self) -> list[str]:
        """The cells of the table."""
        floor = self.start + self.copy
        missed = "" if self.whole <= 3 * self.copy else " **missed**"
        return [
            self.workload,
            str(self.layers),
            f"{self.compressed_bytes / _MB:.1f} / {self.uncompressed_bytes / _MB:.1f}",
            f"{self.first:.2f}",
            *(f"{seconds:.3f}" for seconds in (self.start, self.copy, self.digest, self.whole)),
            f"{self.whole / self.copy:.1f}{missed}",
            f"{self.whole / floor:.2f}",
            f"{self.whole / (floor + self.digest):.2f}",
            f"{self.changed:.3f}",
            f"{self.changed / self.copy:.1f}",
            f"{self.changed / floor:.2f}",
            f"{self.sent_first / _MB:.1f}",
            f"{self.sent_changed / _MB:.4f}",
        ]

    def to_document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


@dataclass(kw_only=True)
class Images:
    """All results."""

    results: list[ImageResult] = field(default_factory=list)


def measure_images(bench: Bench, images: Images, *, rounds: int) -> None:
    """Build the workload as an image, again and again, and push it twice."""
    python = bench.target.split("-")[0].removeprefix("python")
    base = bench.folder / "base"
    shutil.rmtree(base, ignore_errors=True)
    write_aws_like_base(base, python=python)
    bench.write_configuration(
        "lpack.toml", f'package-type = "image"\nimage = {{ base = "{base}" }}\n'
    )
    first = bench.build()
    layout = bench.project / "dist" / f"{bench.workload}.oci"
    floor = _floor(bench, layout, rounds=rounds)
    changed = bench.lpack("one line changed", rounds=rounds)
    changed.prepare = bench.change_handler
    whole = bench.lpack("layers in the store, nothing built", rounds=rounds)
    whole.prepare = lambda: shutil.rmtree(layout, ignore_errors=True)
    run_interleaved([*floor, whole, changed])
    start, copy, digest = (each.median for each in floor)
    sent = _pushed_twice(bench)
    told = bench.manifest()
    images.results.append(
        ImageResult(
            workload=bench.workload,
            layers=sum(not each["from_base"] for each in told["image"]["blobs"]),
            compressed_bytes=told["artifact"]["compressed_bytes"],
            uncompressed_bytes=told["artifact"]["uncompressed_bytes"],
            first=first.seconds,
            start=start,
            copy=copy,
            digest=digest,
            whole=whole.median,
            changed=changed.median,
            sent_first=sent[0],
            sent_changed=sent[1],
        )
    )
    bench.write_configuration("lpack.toml")
    shutil.rmtree(layout)


def _floor(bench: Bench, layout: Path, *, rounds: int) -> list[Contender]:
    """A start of Python, a copy of the layout, and the digest of every blob in it."""
    environment = bench.runner.environment()
    blobs = layout / "blobs" / "sha256"

    def digest() -> None:
        for path in sorted(blobs.iterdir()):
            with path.open("rb") as blob:
                hashlib.file_digest(blob, "sha256")

    return [
        Contender(
            name=START,
            commands=[[sys.executable, "-c", "import click"]],
            env=environment,
            rounds=rounds,
        ),
        Contender(
            name="cp of the layout",
            commands=[["cp", "-r", str(layout), str(bench.folder / "copy")]],
            cwd=bench.project,
            env=environment,
            rounds=rounds,
            prepare=lambda: shutil.rmtree(bench.folder / "copy", ignore_errors=True),
        ),
        Contender(name=DIGEST, call=digest, rounds=rounds),
    ]


def _pushed_twice(bench: Bench) -> tuple[int, int]:
    """Push to an empty registry, and again after a change; the bytes of blobs that arrived."""
    with serving_registry() as registry:
        amounts = []
        for _ in range(2):
            before = sum(map(len, registry.blobs.values()))
            bench.runner.ok(
                *("publish", "image", bench.workload, f"{registry.host}/bench:1"),
                cwd=bench.project,
            )
            amounts.append(sum(map(len, registry.blobs.values())) - before)
            bench.change_handler()
            bench.build()
        return amounts[0], amounts[1]


def render_images(images: Images) -> list[str]:
    """Write the section of the page."""
    lines = [
        "## Images",
        "",
        "On a small base made like AWS's. *Layers kept*: all layers are in the store, and every",
        "one is copied into the layout and held against its digest. *One line changed*: they are",
        "in the layout too. The goal's measure is `cp` alone, which starts no Python; the floor of",
        "zips does, and takes a digest: *start* is that of Python importing click, *sha256* is",
        "`hashlib`'s of all blobs, in the running harness, one after the other. *Sent*: bytes of",
        "blobs that a registry received.",
        "",
        _HEAD,
        "|---|" + "--:|" * (_HEAD.count("|") - 2),
    ]
    lines += [f"| {' | '.join(each.row)} |" for each in images.results]
    return [*lines, ""]
