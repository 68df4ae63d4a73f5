"""Running a resolver as a process of its own, without credentials in what comes back."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packager.errors import CannotBuild
from packager.model.redaction import redact_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A process that ended: its exit code and its redacted stderr; stdout is as written."""

    returncode: int
    stdout: str
    stderr: str


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    base: Mapping[str, str] | None = None,
) -> Finished:
    """Run `arguments` in `cwd` with `environment` on top of `base`, this process's variables.

    Raise CannotBuild when the program cannot be started. An interrupt ends the process too.
    """
    try:
        done = subprocess.run(
            list(arguments),
            cwd=cwd,
            env={**(os.environ if base is None else base), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise CannotBuild(
            f"cannot run `{arguments[0]}`: {error.strerror}",
            hint="reinstall it, or choose the other resolver with --resolver",
        ) from error
    return Finished(returncode=done.returncode, stdout=done.stdout, stderr=redact_text(done.stderr))
