"""A process of the sandbox: a session of its own, its output as lines, ended as a whole."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from packager.errors import CannotBuild

_GRACE_SECONDS = 0.5
_DRAIN_SECONDS = 2.0


class Child:
    """A running process and all its children.

    Every line it writes to stdout or stderr goes to `on_line`, from a thread, without its end.
    awslambdaric separates the lines of an error by carriage returns: they count as ends too.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        """Start `command`; raises CannotBuild when it cannot be started."""
        try:
            self._process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="backslashreplace",
                start_new_session=True,
            )
        except OSError as error:
            raise CannotBuild(f"cannot run `{command[0]}`: {error.strerror}") from error
        self._on_line = on_line
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        """Use the process in a `with` block, which ends it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process and everything it started."""
        self.stop()

    def wait(self, seconds: float) -> int | None:
        """Wait for the end and return the exit code, negative for a signal; None when it runs."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(_DRAIN_SECONDS)
        return code

    def stop(self) -> None:
        """End the whole process group, gently first."""
        for end in (signal.SIGTERM, signal.SIGKILL):
            # The group outlives its first process when that left children behind.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, end)
            if self._process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE_SECONDS)
        self._process.wait()
        self._reader.join(_DRAIN_SECONDS)

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with stream:
            for line in stream:
                self._on_line(line.rstrip("\n").replace("\u00a0", " "))


def signal_name(exit_code: int) -> str:
    """Name the signal that ended a process: `SIGSEGV` for -11; empty for an ordinary end."""
    if exit_code >= 0:
        return ""
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"
