"""One workload in every form: sizes as AWS counts them, first invocation, and /tmp.

The plain zip, the zip with two layers, nested and S3 archives for /tmp, and the container image
answer the same event, each under AWS's own runtime client in Lambda's layout. A form whose answer
differs from the plain zip's stops the benchmark.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from support import sandbox_world
from support.aws_world import REGION, AwsWorld, aws_world
from support.python_root import make_python_root
from timing import ContenderFailedError
from workload import Bench

WORKLOADS = ("W2", "W3")
_MB = 1_000_000
_ROUNDS = 3
_INIT = re.compile(r"init took ([\d,]+) ms")
_HANDLER = re.compile(r"handler took ([\d,]+) ms")
_BUCKET = "lpack-bench"


@dataclass(kw_only=True)
class Form:
    """One form of a workload: bytes as its limits measure them, and milliseconds of each start."""

    workload: str
    name: str
    zipped_bytes: int
    unzipped_bytes: int
    beside_bytes: int
    tmp_bytes: int
    init_ms: list[float] = field(default_factory=list)
    handler_ms: list[float] = field(default_factory=list)

    def to_document(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return dict(vars(self))


@dataclass(kw_only=True)
class Forms:
    """All results of a run, and a line for each that could not be had."""

    results: list[Form] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def measure_forms(bench: Bench, forms: Forms) -> None:
    """Build every form of the workload and let each answer the event, in turn."""
    if bench.workload not in WORKLOADS:
        return
    wanted = bench.target.partition("-")[0].removeprefix("python")
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if wanted != running:
        forms.skipped.append(f"forms of {bench.workload}: they need Python {wanted}")
        return
    with aws_world(bench.folder / "moto.log") as aws:
        aws.bucket(_BUCKET, versioned=True)
        built = list(_built(bench, aws, forms))
        answers: dict[str, str] = {}
        # The forms take turns, so that a slow minute hits all alike.
        for _ in range(_ROUNDS):
            for form, folder in built:
                answers[form.name] = _invoke(bench, form, folder, aws)
    if len(set(answers.values())) > 1:
        raise ContenderFailedError(f"{bench.workload}: forms answer differently: {answers}")
    forms.results += [form for form, _ in built]


def _built(bench: Bench, aws: AwsWorld, forms: Forms) -> Iterator[tuple[Form, Path]]:
    bench.build()
    shipped = [each for each in bench.manifest()["distributions"] if not each["subtracted"]]
    largest = max(shipped, key=lambda each: each["uncompressed_bytes"])["name"]
    offload = f'offload = ["{largest}"]\nephemeral-storage = 1024\n'
    fetched = f'{offload}offload-from = "s3"\noffload-url = "s3://{_BUCKET}/bench"\n'
    layers = (
        f'[layers.largest]\ndistributions = ["{largest}"]\n[layers.rest]\ndistributions = ["*"]\n'
    )
    base = bench.folder / "base"
    make_python_root(base, sandbox_world.interpreter())
    # The client that such a base lacks is added, so that its hash cannot be among the pins.
    text = (bench.project / "requirements.txt").read_text()
    pins = re.findall(r"^[\w.-]+==[^\s\\;]+", text, re.MULTILINE)
    (bench.project / "pins.txt").write_text("\n".join(pins) + "\n")
    ways = {
        "zip": "",
        "zip + 2 layers": layers,
        f"{largest} nested, deflate": f'{offload}offload-codec = "deflate"\n',
        f"{largest} nested, xz": f'{offload}offload-codec = "xz"\n',
        f"{largest} from S3": fetched,
        "image": f'package-type = "image"\nrequirements = ["pins.txt"]\n'
        f'image = {{ base = "{base}" }}\n',
    }
    for name, settings in ways.items():
        try:
            yield _form(bench, name, settings, aws)
        except ContenderFailedError as error:
            forms.skipped.append(f"{bench.workload} {name}: {str(error).strip().splitlines()[-1]}")


def _form(bench: Bench, name: str, settings: str, aws: AwsWorld) -> tuple[Form, Path]:
    """Build one form, and bring to S3 what it fetches from there."""
    folder = re.sub(r"[^a-z0-9]+", "-", name.lower())
    config = bench.write_configuration(f"{folder}.toml", settings)
    bench.build("--config", config.name, "--target-dir", folder)
    if "offload-url" in settings:
        place = ("--artifact", folder, "--s3", f"s3://{_BUCKET}/code/")
        _run(bench, "publish", "zip", *place, variables=aws.environment)
    manifest = bench.manifest(folder)
    artifact, offload = manifest["artifact"], manifest["offload"] or {}
    counted = next(each for each in manifest["limits"] if each["name"] in ("unzipped", "image"))
    beside = sum(layer["compressed_bytes"] for layer in manifest["layers"])
    if offload.get("form") == "s3":
        beside += sum(archive["compressed_bytes"] for archive in offload["archives"])
    form = Form(
        workload=bench.workload,
        name=name,
        zipped_bytes=artifact["compressed_bytes"],
        unzipped_bytes=counted["measured_bytes"],
        beside_bytes=beside,
        tmp_bytes=offload.get("tmp_bytes", 0),
    )
    return form, bench.project / folder


def _invoke(bench: Bench, form: Form, folder: Path, aws: AwsWorld) -> str:
    """Let the form answer once and note the milliseconds; returns the answer."""
    pairs = (f"AWS_ENDPOINT_URL_S3={aws.url}", f"AWS_REGION={REGION}")
    variables = [text for pair in pairs for text in ("--env", pair)]
    index = ("--index-url", bench.index_url)
    argv = ("invoke", "{}", "--artifact", str(folder), "--timeout", "120", *index, *variables)
    stdout, stderr = _run(bench, *argv)
    for expression, found in ((_INIT, form.init_ms), (_HANDLER, form.handler_ms)):
        said = expression.search(stderr)
        if said is None:
            raise ContenderFailedError(f"{form.name}: {stderr[-2000:]}")
        found.append(float(said[1].replace(",", "")))
    return stdout


def _run(bench: Bench, *argv: str, variables: dict[str, str] | None = None) -> tuple[str, str]:
    done = bench.runner.run(*argv, cwd=bench.project, env=variables)
    if done.exit_code:
        raise ContenderFailedError(done.explain())
    return done.stdout, done.stderr


def render_forms(forms: Forms) -> list[str]:
    """Write the section about forms."""
    lines = [
        "## The same function in every form",
        "",
        "| workload | form | zipped MB | beside MB | unzipped MB | /tmp MB | init s | handler ms |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
        *map(_row, forms.results),
        "",
        *(f"- Not measured: {line}" for line in forms.skipped),
    ]
    if forms.skipped:
        lines.append("")
    return [
        *lines,
        "First invocations under AWS's own runtime client in Lambda's layout on this machine,",
        f"medians of {_ROUNDS}, all forms in turn with equal answers. *Beside*: layers, or",
        "archives in S3. *Unzipped* is what AWS counts: layers in full, nested archives",
        "compressed, the image with its base, a root file system made of this machine's Python.",
        "",
    ]


def _row(form: Form) -> str:
    sizes = (form.zipped_bytes, form.beside_bytes, form.unzipped_bytes, form.tmp_bytes)
    cells = [form.workload, form.name, *(f"{size / _MB:.2f}" for size in sizes)]
    cells += [f"{median(form.init_ms) / 1000:.2f}", f"{median(form.handler_ms):.0f}"]
    return f"| {' | '.join(cells)} |"
