"""AWS's Runtime Interface Emulator, when it is found: where it is, and one event through it.

Tried with the emulator of aws-sam-cli 1.170.0. It listens on all addresses unless told
otherwise, ignores unknown flags, and begins init at the first event. Errors of a function are
answered like results; the sandbox's bootstrap tells them apart.
"""

import http.client
import importlib.util
import os
import re
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packager.errors import CannotBuild
from packager.parsing import parse_json
from packager.verify.processes import Child
from packager.verify.sandbox import Sandbox

_NAME = "aws-lambda-rie"
_SUFFIXES = {"x86_64": "x86_64", "aarch64": "arm64"}
_IN_SAM = "local/rapid"
_PATH = "/2015-03-31/functions/function/invocations"
_START_SECONDS = 10.0
_POLL_SECONDS = 0.02
_SLACK_SECONDS = 15.0
_OWN_LINE = re.compile(
    r"\d\d \w{3} \d{4} [\d:,]+ \[\w+\] \(rapid\)|(START|END|REPORT) RequestId: [\da-f-]{36}"
)
_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)")
_HANDLER = re.compile(r"INVOKE RTDONE\(.*duration: ([\d.]+)ms")
_DETAILS = 5
_OWN_ERRORS = ("Runtime.", "Sandbox.", "Function.", "Extension.")


def find_emulator(machine: str) -> Path | None:
    """Return the emulator for `machine` (`aarch64`): on PATH, or inside the AWS SAM CLI."""
    suffix = _SUFFIXES.get(machine, machine)
    for name in (_NAME, f"{_NAME}-{suffix}"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    for folder in _sam_folders():
        candidate = folder / _IN_SAM / f"{_NAME}-{suffix}"
        if os.access(candidate, os.X_OK):
            return candidate
    return None


def _sam_folders() -> list[Path]:
    """Return where the package `samcli` may be: beside lpack, or where the `sam` command is."""
    folders = []
    beside = importlib.util.find_spec("samcli")
    if beside is not None and beside.submodule_search_locations:
        folders += [Path(place) for place in beside.submodule_search_locations]
    command = shutil.which("sam")
    if command:
        prefix = Path(command).resolve().parents[1]
        folders += sorted(prefix.glob("lib/python3.*/site-packages/samcli"))
    return folders


@dataclass(frozen=True, kw_only=True, slots=True)
class Emulated:
    """The emulator's answer as it came, whether it is an error, and durations in milliseconds."""

    body: bytes
    failed: bool
    init_failed: bool
    init_ms: float | None
    handler_ms: float | None


class _Log:
    """Parts the emulator's own lines, which hold the durations, from the function's.

    Of its report only these are right: what REPORT calls `Init Duration`, and the memory used,
    are constants.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self.own: list[str] = []
        self.init_ms: float | None = None
        self.handler_ms: float | None = None

    def add(self, line: str) -> None:
        if _OWN_LINE.match(line) is None:
            self._on_line(line)
            return
        self.own.append(line)
        if found := _INIT.search(line):
            self.init_ms = float(found[1])
        elif found := _HANDLER.search(line):
            self.handler_ms = float(found[1])


def answer_emulated(
    sandbox: Sandbox,
    event: bytes,
    *,
    emulator: Path,
    timeout_seconds: float,
    on_line: Callable[[str], None],
) -> Emulated:
    """Send `event` through `emulator`; raises CannotBuild when it does not start or answer."""
    outer, inner = _free_ports()
    command = [
        str(emulator),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{outer}"),
        *("--runtime-api-address", f"127.0.0.1:{inner}"),
        *sandbox.command("serve"),
    ]
    environment = sandbox.environment()
    environment["AWS_LAMBDA_FUNCTION_TIMEOUT"] = str(max(1, round(timeout_seconds)))
    log = _Log(on_line)
    with Child(command, cwd=sandbox.task, environment=environment, on_line=log.add) as child:
        try:
            _await_port(outer, child)
            body = _post(outer, event, timeout_seconds + _SLACK_SECONDS)
        except (OSError, http.client.HTTPException) as error:
            raise CannotBuild(
                f"the Runtime Interface Emulator gives no answer: {error}",
                hint="--emulator none uses lpack's own Runtime API instead",
                details=log.own[-_DETAILS:],
            ) from error
    failed = str((sandbox.read_result() or {}).get("failed", ""))
    return Emulated(
        body=body,
        failed=bool(failed) or _is_own_error(body),
        init_failed=failed == "post_init_error",
        init_ms=log.init_ms,
        handler_ms=log.handler_ms,
    )


def _free_ports() -> tuple[int, int]:
    """Return two ports of 127.0.0.1 that were free a moment ago."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _await_port(port: int, child: Child) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if child.wait(_POLL_SECONDS) is not None:
            break
    raise ConnectionRefusedError("it does not start")


def _post(port: int, event: bytes, seconds: float) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("POST", _PATH, body=event, headers={"Content-Type": "application/json"})
        return connection.getresponse().read()
    finally:
        connection.close()


def _is_own_error(body: bytes) -> bool:
    """Tell whether the emulator itself reports an error: a timeout, a process that ended."""
    try:
        value = parse_json(body)
    except ValueError:
        return True
    kind = value.get("errorType") if isinstance(value, dict) else None
    return isinstance(kind, str) and kind.startswith(_OWN_ERRORS)
