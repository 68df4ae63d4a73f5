"""Measures how large lpack's zips are in each of its ways, against the goals.

Sizes are taken from the zips themselves; only a distribution's share comes from the manifest.
"""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.fixture_wheels import workload_requirements
from timing import ContenderFailedError
from workload import BIN, Bench

MB = 1_000_000
DEFAULT = "default"
RELEASE = "--release --slim declared"
TRACED = "traced"
OPEN = "open requirements"
WITHOUT_SDK = "--subtract always"
TWO_SERVICES = "services: s3, sts"

# Zipped and unzipped MB. The goals were set on bundles that had lost the whole SDK group.
BEST_PEER = {
    "W1": (26.2, 50.5),
    "W2": (93, 280),
    "W3": (93, 280),
    "W4": (81, 231),
    "W5": (14.8, 45.4),
}
GOALS: dict[str, dict[str, tuple[float, float]]] = {
    "W1": {DEFAULT: (9.6, 28), RELEASE: (9.3, 27), TRACED: (9, 16)},
    "W2": {DEFAULT: (66, 211), RELEASE: (61, 190), TRACED: (62, 165)},
    "W3": {DEFAULT: (72.5, 238), RELEASE: (61, 200), TRACED: (67, 182)},
    "W4": {DEFAULT: (78, 221), RELEASE: (75, 219), TRACED: (77, 200)},
    "W5": {DEFAULT: (15, 45.6), RELEASE: (14.4, 45), TRACED: (15, 40)},
}
SDK_GROUP = frozenset(
    {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
)

_RELEASE_OPTIONS = ("--release", "--slim", "declared")
_EVENTS = {
    "W5": '{"version": "2.0", "rawPath": "/", "rawQueryString": "", "headers": {}, '
    '"requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": "127.0.0.1"}}, '
    '"isBase64Encoded": false}'
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeResult:
    """One zip: bytes of the file, of all files in it, and of what the SDK group has of both."""

    workload: str
    variant: str
    zip_bytes: int
    uncompressed_bytes: int
    sdk_zip_bytes: int
    sdk_uncompressed_bytes: int
    seconds: float
    peak_bytes: int

    @property
    def whole(self) -> tuple[float, float]:
        """Zipped and unzipped MB."""
        return self.zip_bytes / MB, self.uncompressed_bytes / MB

    @property
    def without_sdk(self) -> tuple[float, float]:
        """Zipped and unzipped MB less the shares of the SDK group."""
        return (
            (self.zip_bytes - self.sdk_zip_bytes) / MB,
            (self.uncompressed_bytes - self.sdk_uncompressed_bytes) / MB,
        )

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(kw_only=True)
class Sizes:
    """All zips of a run, and a line for each that could not be had."""

    results: list[SizeResult]
    skipped: list[str]


def measure_sizes(bench: Bench, sizes: Sizes) -> None:
    """Build the workload in each way and add what came out to `sizes`."""
    sizes.results.append(_sized(bench, DEFAULT))
    sizes.results.append(_sized(bench, RELEASE, *_RELEASE_OPTIONS))
    if sizes.results[-1].sdk_zip_bytes:
        _measure_lighter_sdk(bench, sizes)
    if has_option("build", "--slim", "traced"):
        try:
            sizes.results.append(_traced(bench))
        except ContenderFailedError as error:
            sizes.skipped.append(f"{bench.workload} {TRACED}: {last_line(error)}")
    elif not any(line.startswith(TRACED) for line in sizes.skipped):
        sizes.skipped.append(f"{TRACED}: `lpack build --slim traced` does not exist yet")


def _measure_lighter_sdk(bench: Bench, sizes: Sizes) -> None:
    """Add real builds with what the workload declares, without the SDK, with less data of it."""
    configuration = bench.write_configuration(
        "two-services.toml", 'services = { botocore = ["s3", "sts"] }\n'
    )
    declared = workload_requirements(bench.workload, bench.target).with_name("requirements.in")
    shutil.copy(declared, bench.project)
    lighter = {
        OPEN: ("--requirements", declared.name),
        WITHOUT_SDK: ("--subtract", "always"),
        TWO_SERVICES: ("--config", str(configuration)),
    }
    for title, options in lighter.items():
        for prefix, more in ((DEFAULT, ()), (RELEASE, _RELEASE_OPTIONS)):
            name = f"{prefix}, {title}"
            try:
                sizes.results.append(_sized(bench, name, *options, *more))
            except ContenderFailedError as error:
                sizes.skipped.append(f"{bench.workload} {name}: {last_line(error)}")


def _sized(bench: Bench, variant: str, *options: str) -> SizeResult:
    folder = folder_of(variant)
    sample = bench.build("--target-dir", folder, *options)
    artifact = bench.project / folder / f"{bench.workload}.zip"
    with zipfile.ZipFile(artifact) as opened:
        uncompressed = sum(info.file_size for info in opened.infolist())
    group = [
        row
        for row in bench.manifest(folder)["distributions"]
        if row["name"] in SDK_GROUP and not row["subtracted"]
    ]
    return SizeResult(
        workload=bench.workload,
        variant=variant,
        zip_bytes=artifact.stat().st_size,
        uncompressed_bytes=uncompressed,
        sdk_zip_bytes=sum(row["compressed_bytes"] for row in group),
        sdk_uncompressed_bytes=sum(row["uncompressed_bytes"] for row in group),
        seconds=sample.seconds,
        peak_bytes=sample.peak_bytes,
    )


def _traced(bench: Bench) -> SizeResult:
    """Record one event, then build what it needs; the default zip lies in dist for the trace."""
    event = bench.folder / "event.json"
    event.write_text(_EVENTS.get(bench.workload, "{}"))
    bench.build()
    bench.lpack("trace", "--event", str(event), verb="trace").run_once(keep=False)
    return _sized(bench, TRACED, "--slim", "traced")


def folder_of(variant: str) -> str:
    """The folder of the project where the zip of `variant` lies."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in variant)
    return f"sizes/{plain.strip('-')}"


def has_option(verb: str, option: str, word: str = "") -> bool:
    """Tell whether this lpack's help of `verb` shows `option`, and `word` in its description."""
    command = [str(BIN / "lpack"), verb, "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(rf"^  .*{option}\b.*(?:\n {{10,}}.*)*", shown, re.MULTILINE)
    return found is not None and word in found[0]


def last_line(error: Exception) -> str:
    """The line that says what went wrong: lpack's own, or else the last one."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("error")), lines[-1])


def render_sizes(sizes: Sizes) -> list[str]:
    """Write the section about sizes."""
    lines = [
        "## Sizes, zipped / unzipped MB (10⁶)",
        "",
        "| workload | way | whole zip | less the SDK group | goal | seconds | peak MB |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    seen = ""
    for result in sizes.results:
        if result.workload != seen:
            seen = result.workload
            lines.append(f"| {seen} | *best peer* | {_pair(BEST_PEER[seen])} | | | | |")
        lines.append(_row(result))
    lines += ["", *(f"- Not measured: {line}" for line in sizes.skipped)]
    if sizes.skipped:
        lines.append("")
    return [
        *lines,
        "No bytecode added. *Less the SDK group*: the zip without the shares that the manifest",
        "gives for boto3, botocore, jmespath, python-dateutil, s3transfer, six and urllib3. The",
        "goals and *met* are about this figure, because they were set on bundles that had lost the",
        "group. The first two rows of W1-W3 build from exact pins, which python3.11's older SDK",
        "does not satisfy; *open requirements* build the same set from what the workload declares:",
        "then W3 loses the group, while in W1 and W2 a distribution asks for newer versions than",
        "the runtime has. The peers' figures are whole zips. *Seconds* and *peak*: once, wheels in",
        "the store; not comparable with one another: later rows find payloads of earlier ones.",
        "",
    ]


def _row(result: SizeResult) -> str:
    goal = None
    if not result.variant.endswith(TWO_SERVICES):
        goal = GOALS[result.workload].get(result.variant.partition(", ")[0])
    less = _pair(result.without_sdk) if result.sdk_zip_bytes else "the same"
    verdict = "" if goal is None else f"{_pair(goal, digits=None)} {_verdict(result, goal)}"
    cells = (result.workload, result.variant, _pair(result.whole), less, verdict)
    return f"| {' | '.join(cells)} | {result.seconds:.1f} | {result.peak_bytes / MB:.0f} |"


def _verdict(result: SizeResult, goal: tuple[float, float]) -> str:
    """Say by how much a goal is missed, or that it is met."""
    missed = [
        f"{what} +{have - want:.2f}"
        for what, have, want in zip(("zipped", "unzipped"), result.without_sdk, goal, strict=True)
        if have > want
    ]
    return f"**missed** ({', '.join(missed)})" if missed else "met"


def _pair(figures: Sequence[float], *, digits: int | None = 2) -> str:
    return " / ".join(f"{x:g}" if digits is None else f"{x:.{digits}f}" for x in figures)


def zip_of(bench: Bench, variant: str) -> Path:
    """The zip of a way that was measured."""
    return bench.project / folder_of(variant) / f"{bench.workload}.zip"
