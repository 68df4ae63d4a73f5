"""What the tests of the sandbox need: a Python of the target's version and real packages."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from support.fixture_wheels import wheels_for

from packager.model.target import Target
from packager.runtime.targets import load_target
from packager.verify.interpreter import Interpreter, find_interpreter
from packager.verify.runtime_folder import install_runtime
from packager.verify.sandbox import Subject

TARGET = "python3.11-x86_64"
CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
SDK = {
    "boto3": "1.34.145",
    "botocore": "1.34.145",
    "jmespath": "1.0.1",
    "python-dateutil": "2.8.2",
    "s3transfer": "0.10.0",
    "six": "1.16.0",
    "urllib3": "1.26.19",
}
"""What the shipped catalog says of python3.11."""


def target() -> Target:
    """The target of these tests."""
    return load_target(*TARGET.split("-"))


def interpreter() -> Interpreter:
    """A Python that can stand in for the target's; skips the test without one."""
    found = find_interpreter(target())
    if found is None:
        pytest.skip("no Python 3.11 for x86_64 on this machine")
    return found


def named(wheels: Sequence[Path], wanted: Mapping[str, str | None]) -> list[Path]:
    """The wheels of the distributions `wanted`, at their versions where these are given."""
    chosen = []
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        key = name.lower().replace("_", "-")
        if key in wanted and wanted[key] in {None, version}:
            chosen.append(wheel)
    return chosen


def make_runtime(wheels: Sequence[Path], folder: Path, *, sdk: bool) -> Path:
    """Install the runtime client, and the SDK when asked, from the fixture wheels."""
    wanted: dict[str, str | None] = dict.fromkeys(CLIENT)
    chosen = named(wheels, {**wanted, **(SDK if sdk else {})})
    assert len(chosen) == len(CLIENT) + (len(SDK) if sdk else 0)
    install_runtime(chosen, folder, interpreter=interpreter())
    return folder


def write_artifact(path: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write a zip as a user might, with the standard library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def subject(
    artifact: Path,
    runtime: Path,
    *,
    handler: str = "app.handler",
    variables: Mapping[str, str] | None = None,
) -> Subject:
    """The handler of `artifact` on the target of these tests."""
    return Subject(
        artifact=artifact,
        handler=handler,
        target=target(),
        interpreter=interpreter(),
        runtime=runtime,
        variables=tuple((variables or {}).items()),
    )


def fixtures() -> list[Path]:
    """All fixture wheels of the target."""
    return wheels_for(TARGET)


def has_python(runtime: str) -> bool:
    """Tell whether this machine has a Python that fits `runtime` on x86_64."""
    return find_interpreter(load_target(runtime, "x86_64")) is not None
