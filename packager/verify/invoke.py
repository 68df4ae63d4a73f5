"""Answering one event with the real handler, awslambdaric and a Runtime API."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packager.model.finding import Finding
from packager.verify.dynamic import written
from packager.verify.emulator import answer_emulated
from packager.verify.processes import Child, signal_name
from packager.verify.runtime_api import Outcome, RuntimeApi
from packager.verify.sandbox import Sandbox

_POLL_SECONDS = 0.05
_HANDING_IN_SECONDS = 0.2


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


def invoke(
    sandbox: Sandbox,
    event: bytes,
    *,
    timeout_seconds: float,
    emulator: Path | None,
    on_line: Callable[[str], None],
) -> Answer:
    """Let the function answer `event`; what it logs goes to `on_line`, from a thread.

    Through AWS's Runtime Interface Emulator when `emulator` is given, else through lpack's own
    Runtime API. Raises CannotBuild when a process cannot be started.
    """
    if emulator is not None:
        emulated = answer_emulated(
            sandbox, event, emulator=emulator, timeout_seconds=timeout_seconds, on_line=on_line
        )
        return Answer(
            body=emulated.body,
            failed=emulated.failed,
            init_failed=emulated.init_failed,
            init_ms=emulated.init_ms,
            handler_ms=emulated.handler_ms,
            through="the Runtime Interface Emulator",
            findings=tuple(written(sandbox)),
        )
    return _own(sandbox, event, timeout_seconds=timeout_seconds, on_line=on_line)


def _own(
    sandbox: Sandbox, event: bytes, *, timeout_seconds: float, on_line: Callable[[str], None]
) -> Answer:
    started = time.monotonic()
    with RuntimeApi(event, deadline_seconds=timeout_seconds) as api:
        environment = {**sandbox.environment(), "AWS_LAMBDA_RUNTIME_API": api.address}
        with Child(
            sandbox.command("serve"), cwd=sandbox.task, environment=environment, on_line=on_line
        ) as child:
            outcome, code = await_outcome(api, child, started + timeout_seconds)
            if outcome is not None:
                # What the handler wrote last is still on its way through the pipe.
                child.wait(_HANDING_IN_SECONDS)
        asked = api.asked
    ended = outcome.answered if outcome is not None else time.monotonic()
    return Answer(
        body=outcome.body if outcome is not None else lost_answer(code, timeout_seconds),
        failed=outcome is None or outcome.kind != "response",
        init_failed=outcome.kind == "init-error" if outcome is not None else asked is None,
        init_ms=(asked - started) * 1000 if asked is not None else None,
        handler_ms=(ended - asked) * 1000 if asked is not None else None,
        through="lpack's own Runtime API",
        findings=tuple(written(sandbox)),
    )


def await_outcome(
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


def lost_answer(code: int | None, timeout_seconds: float) -> bytes:
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
