"""Answering one event with the real handler, awslambdaric and a Runtime API."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from packager.verify.dynamic import written
from packager.verify.emulator import answer_emulated
from packager.verify.sandbox import Sandbox
from packager.verify.serving import Answer, Server, serve

_CLOSING_SECONDS = 0.2


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
        answer = Answer(
            body=emulated.body,
            failed=emulated.failed,
            init_failed=emulated.init_failed,
            init_ms=emulated.init_ms,
            handler_ms=emulated.handler_ms,
            through="the Runtime Interface Emulator",
        )
    else:
        server = Server(
            command=sandbox.command("serve"),
            cwd=sandbox.task,
            environment=sandbox.environment(),
            through="lpack's own Runtime API",
            closing_seconds=_CLOSING_SECONDS,
        )
        answer = serve(server, event, timeout_seconds=timeout_seconds, on_line=on_line)
    return dataclasses.replace(answer, findings=tuple(written(sandbox)))
