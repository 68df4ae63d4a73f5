"""One event for one process that speaks the Runtime API, and its answer.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packager.model.finding import Finding
from packager.verify.processes import Child, signal_name
from packager.verify.runtime_api import Outcome, RuntimeApi

_POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the function answered, as bytes of JSON.

    When it `failed`, they describe the error as Lambda does. `init_failed` means that the handler
    could not even be imported. `init_ms` and `handler_ms` are durations on this machine in
    milliseconds, None when unknown. `through` is who played Lambda.
    """

    body: bytes
    failed: bool
    init_failed: bool
    init_ms: float | None
    handler_ms: float | None
    through: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A process that answers events: its command, its folder, its variables.

    `through` is how it is named in answers. `closing_seconds` is what it is given after its
    answer, since what it wrote last is still on its way through the pipe.
    """

    command: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    through: str
    closing_seconds: float


def serve(
    server: Server, event: bytes, *, timeout_seconds: float, on_line: Callable[[str], None]
) -> Answer:
    """Start `server`, hand it `event` and end it; what it prints goes to `on_line`, from a thread.

    Raises CannotBuild when the process cannot be started.
    """
    started = time.monotonic()
    with RuntimeApi(event, deadline_seconds=timeout_seconds) as api:
        environment = {**server.environment, "AWS_LAMBDA_RUNTIME_API": api.address}
        with Child(
            server.command, cwd=server.cwd, environment=environment, on_line=on_line
        ) as child:
            outcome, code = _await_outcome(api, child, started + timeout_seconds)
            if outcome is not None:
                child.wait(server.closing_seconds)
        asked = api.asked
    ended = outcome.answered if outcome is not None else time.monotonic()
    return Answer(
        body=outcome.body if outcome is not None else _lost(code, timeout_seconds),
        failed=outcome is None or outcome.kind != "response",
        init_failed=outcome.kind == "init-error" if outcome is not None else asked is None,
        init_ms=(asked - started) * 1000 if asked is not None else None,
        handler_ms=(ended - asked) * 1000 if asked is not None else None,
        through=server.through,
    )


def _await_outcome(
    api: RuntimeApi, child: Child, deadline: float
) -> tuple[Outcome | None, int | None]:
    """Wait for the answer, the end of the process or the deadline, whatever comes first."""
    while True:
        outcome = api.wait(_POLL_SECONDS)
        if outcome is not None:
            return outcome, None
        code = child.wait(0)
        if code is not None:
            # The answer may have come in between.
            return api.wait(0), code
        if time.monotonic() > deadline:
            return None, None


def _lost(code: int | None, timeout_seconds: float) -> bytes:
    """Word an invocation without an answer as Lambda does."""
    if code is None:
        message = {
            "errorType": "Sandbox.Timedout",
            "errorMessage": f"Task timed out after {timeout_seconds:.2f} seconds",
        }
    else:
        how = f"signal: {signal_name(code)}" if code < 0 else f"exit status {code}"
        message = {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"Runtime exited with error: {how}",
        }
    return json.dumps(message).encode()
