"""The five workloads traced: smaller, no miss for what was traced, and whole after misses."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import real_wheels
from support import sandbox_world
from support.assembling import code_files, written
from support.fixture_wheels import CHECKOUT, WORKLOADS, wheels_for, workload_requirements

from packager.assemble.open_payload import PayloadSource
from packager.bootstrap.placing import TRACED, bootstrap_files, find_handler
from packager.model.artifact import ZipArtifact
from packager.model.payload import Payload
from packager.model.prune import SlimSettings
from packager.slim.payload import write_payload
from packager.slim.traced_payload import traced_payload, write_files_payload
from packager.verify.miss_cost import measure_misses
from packager.verify.runtime_folder import install_runtime
from packager.verify.sandbox import open_sandbox
from packager.verify.trace import trace_event, trace_of, traced
from packager.verify.unpacking import make_read_only, unpack
from packager.wheels.admission import admit

pytestmark = [pytest.mark.index, pytest.mark.slow]

TARGET = sandbox_world.TARGET
EXERCISES = CHECKOUT / "tests" / "cases" / "prune" / "exercises"
SDK = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
# Zip and files in MB (10^6), the archives counted in both; the best peer has 26.2 / 50.5,
# 93 / 280, 93 / 280, 81 / 231 and 14.8 / 45.4.
AT_MOST = {
    "W1": (7.6, 13.6),
    "W2": (59.5, 165.0),
    "W3": (65.2, 183.0),
    "W4": (75.0, 199.3),
    "W5": (14.2, 38.9),
}
EVENTS: dict[str, Any] = {
    "W5": {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {"host": "example.com"},
        "isBase64Encoded": False,
        "requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": "192.0.2.1"}},
    }
}
# What the exercises use beyond the event, and so is brought back while they run.
BROUGHT_BACK = {
    "W1": {"cryptography", "pyjwt"},
    "W2": {"numpy", "pyarrow"},
    "W3": {"scipy", "scikit-learn"},
    "W4": {"pillow"},
    "W5": {"cryptography", "sqlalchemy"},
}


@dataclass(frozen=True, kw_only=True)
class World:
    """A workload's payloads and code, and the runtime with the SDK beside it."""

    workload: str
    root: Path
    runtime: Path
    payloads: dict[tuple[str, str], Payload]

    def path(self, name: str, kind: str) -> Path:
        """Where the payload of a distribution is."""
        return self.root / kind / f"{name}.zip"

    def write(self, destination: Path, sources: list[PayloadSource]) -> ZipArtifact:
        """Write the artifact of `sources` and the handler."""
        handler = workload_requirements(self.workload, TARGET).with_name("handler.py")
        code = code_files(self.root / "code", {"handler.py": handler.read_bytes()})
        return written(destination, sources, code)

    def invoke(self, artifact: Path) -> tuple[list[str], Any]:
        """Let the handler answer the event; returns what it logged, and the trace."""
        lines: list[str] = []
        subject = sandbox_world.subject(artifact, self.runtime, handler="handler.lambda_handler")
        with open_sandbox(subject) as plain:
            sandbox = traced(plain)
            event = json.dumps(EVENTS.get(self.workload, {})).encode()
            answer = trace_event(sandbox, event, timeout_seconds=60, on_line=lines.append)
            assert not answer.failed, (answer.body, lines)
            manifest = {
                "distributions": [
                    {
                        "name": name,
                        "version": version,
                        "subtracted": False,
                        "files": [[each] for each in names_in(self.path(name, "slim"))],
                    }
                    for name, version in self.payloads
                ]
            }
            return lines, trace_of(sandbox, manifest, lpack="0", runs=1)


def names_in(path: Path) -> list[str]:
    import zipfile  # noqa: PLC0415 -- only here

    with zipfile.ZipFile(path) as opened:
        return opened.namelist()


def source(owner: str, path: Path, payload: Payload) -> PayloadSource:
    return PayloadSource(
        owner=owner,
        key=payload.key,
        path=path,
        sha256=payload.sha256,
        body_bytes=payload.body_bytes,
        file_bytes=payload.file_bytes,
        entries=payload.entries,
    )


@pytest.fixture(scope="module")
def world_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], World]:
    """A function that makes a workload's world."""

    def make(workload: str) -> World:
        everything = real_wheels(TARGET)
        root = tmp_path_factory.mktemp(workload)
        (root / "slim").mkdir()
        payloads: dict[tuple[str, str], Payload] = {}
        wheels = wheels_for(TARGET, requirements=workload_requirements(workload, TARGET))
        sdk = []
        for wheel in wheels:
            admitted = admit(wheel, sha256=wheel.parent.name, filename=wheel.name)
            if admitted.name in SDK:
                sdk.append(wheel)
                continue
            payloads[admitted.name, str(admitted.version)] = write_payload(
                wheel,
                admitted,
                root / "slim" / f"{admitted.name}.zip",
                key=admitted.name,
                settings=SlimSettings(tier="inert", strip=True),
                python="3.11",
            )
        client = sandbox_world.named(everything, dict.fromkeys(sandbox_world.CLIENT))
        install_runtime([*client, *sdk], root / "runtime", interpreter=sandbox_world.interpreter())
        return World(workload=workload, root=root, runtime=root / "runtime", payloads=payloads)

    return make


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_traced_workload(workload: str, world_of: Callable[[str], World]) -> None:
    sandbox_world.interpreter()
    world = world_of(workload)
    whole = [
        source(f"{name} {version}", world.path(name, "slim"), payload)
        for (name, version), payload in world.payloads.items()
    ]
    before = world.write(world.root / "whole.zip", whole)
    lines, trace = world.invoke(world.root / "whole.zip")

    artifact = world.root / "traced.zip"
    after = write_traced(world, trace, artifact)
    zip_mb, files_mb = AT_MOST[workload]
    assert after.compressed_bytes <= zip_mb * 1e6 < before.compressed_bytes
    assert after.uncompressed_bytes <= files_mb * 1e6 < before.uncompressed_bytes

    lines, again = world.invoke(artifact)
    assert [line for line in lines if line.startswith("lpack:")] == []
    assert {each.name for each in again.distributions} == {name for name, _ in world.payloads}

    done = exercise(world, artifact)
    assert done.returncode == 0, done.stderr[-3000:]
    restored = {line.split()[2] for line in done.stderr.splitlines() if "lpack: restored" in line}
    assert restored >= BROUGHT_BACK[workload]

    costs = measure_misses(artifact, sandbox_world.interpreter())
    assert {cost.name for cost in costs} >= restored
    # On one processor of this machine 30 to 80 MB a second.
    assert all(cost.seconds < 1 + cost.uncompressed_bytes / 5e6 for cost in costs)


def write_traced(world: World, trace: Any, artifact: Path) -> ZipArtifact:
    """Write the artifact without what the trace did not see."""
    (world.root / "traced").mkdir()
    sources = []
    for (name, version), payload in world.payloads.items():
        touched = trace.touched(name, version)
        assert touched is not None
        path = world.path(name, "traced")
        made = traced_payload(
            world.path(name, "slim"), touched, path, key=name, name=name, version=version
        )
        kept = (world.path(name, "slim"), payload) if made is None else (path, made.payload)
        sources.append(source(f"{name} {version}", *kept))
    placed = bootstrap_files(find_handler("handler.lambda_handler", ["handler.py"]), [TRACED])
    assert placed.renamed == ()
    own = world.root / "bootstrap.zip"
    payload = write_files_payload(dict(placed.added), own, key="bootstrap")
    return world.write(artifact, [*sources, source("lpack", own, payload)])


def exercise(world: World, artifact: Path) -> subprocess.CompletedProcess[str]:
    """Run what uses the workload's libraries in earnest, beginning with its handler."""
    task, temporary = world.root / "task", world.root / "tmp"
    task.mkdir()
    temporary.mkdir()
    unpack(artifact, task)
    make_read_only(task)
    script = (
        f"import sys; sys.path[:0] = {[str(task), str(world.runtime)]!r}\nimport handler\n"
        f"exec(compile(open({str(EXERCISES / world.workload)!r} + '.py').read(), 'x', 'exec'))"
    )
    return subprocess.run(
        [sandbox_world.interpreter().executable, "-I", "-S", "-B", "-c", script],
        cwd=task,
        env={
            "PATH": os.defpath,
            "TMPDIR": str(temporary),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
