"""Images: how long a build takes beside `cp` of its blobs, and what a push sends."""

import shutil
from dataclasses import asdict, dataclass, field
from typing import Any

from support.image_world import write_aws_like_base
from support.scripted_registry import serving_registry
from timing import Contender, run_interleaved
from workload import Bench

_MB = 1_000_000
_HEAD = (
    "| workload | own layers | MB, gzipped / tars | first | cp | layers kept (÷ cp, ≤ 3) "
    "| one line changed (÷ cp) | MB sent | MB sent after one line |"
)


@dataclass(kw_only=True)
class ImageResult:
    """One workload on a base like AWS's. Times are medians in seconds, sizes bytes."""

    workload: str
    layers: int
    compressed_bytes: int
    uncompressed_bytes: int
    first: float
    copy: float
    whole: float
    changed: float
    sent_first: int
    sent_changed: int

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
    copy = Contender(
        name="cp of the layout",
        commands=[["cp", "-r", str(layout), str(bench.folder / "copy")]],
        cwd=bench.project,
        env=bench.runner.environment(),
        rounds=rounds,
        prepare=lambda: shutil.rmtree(bench.folder / "copy", ignore_errors=True),
    )
    changed = bench.lpack("one line changed", rounds=rounds)
    changed.prepare = bench.change_handler
    whole = bench.lpack("layers in the store, nothing built", rounds=rounds)
    whole.prepare = lambda: shutil.rmtree(layout, ignore_errors=True)
    run_interleaved([copy, whole, changed])
    sent = _pushed_twice(bench)
    told = bench.manifest()
    images.results.append(
        ImageResult(
            workload=bench.workload,
            layers=sum(not each["from_base"] for each in told["image"]["blobs"]),
            compressed_bytes=told["artifact"]["compressed_bytes"],
            uncompressed_bytes=told["artifact"]["uncompressed_bytes"],
            first=first.seconds,
            copy=copy.median,
            whole=whole.median,
            changed=changed.median,
            sent_first=sent[0],
            sent_changed=sent[1],
        )
    )
    bench.write_configuration("lpack.toml")
    shutil.rmtree(layout)


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
        "one is copied into the layout. *Sent*: bytes of blobs that a registry received.",
        "",
        _HEAD,
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for each in images.results:
        ratio = each.whole / each.copy
        missed = "" if ratio <= 3 else " **missed**"
        lines.append(
            f"| {each.workload} | {each.layers} | {each.compressed_bytes / _MB:.1f} / "
            f"{each.uncompressed_bytes / _MB:.1f} | {each.first:.2f} | {each.copy:.3f} | "
            f"{each.whole:.3f} ({ratio:.1f}){missed} | "
            f"{each.changed:.3f} ({each.changed / each.copy:.1f}) | "
            f"{each.sent_first / _MB:.1f} | {each.sent_changed / _MB:.4f} |"
        )
    return [*lines, ""]
