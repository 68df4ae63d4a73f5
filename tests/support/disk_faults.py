"""Real builds in which one file operation fails, or the process is killed at it.

The operations are those of the C library (`disk_faults.c` is loaded before it), so that nothing
of lpack or Python is replaced. Needs Linux and a C compiler.
"""

import errno
import functools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_SUPPORT = Path(__file__).parent
ERRNOS: dict[str, tuple[int, ...]] = {
    "open": (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EMFILE),
    "read": (errno.EIO,),
    "write": (errno.EIO, errno.ENOSPC, errno.EDQUOT),
    "sync": (errno.EIO, errno.ENOSPC, errno.EDQUOT),
    "rename": (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EXDEV),
    "mkdir": (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS),
    "unlink": (errno.EIO, errno.EACCES, errno.EROFS),
    "stat": (errno.EIO, errno.EACCES),
    "list": (errno.EIO, errno.EACCES, errno.EMFILE),
    "close": (errno.EIO, errno.ENOSPC, errno.EDQUOT),
    "truncate": (errno.EIO, errno.ENOSPC),
    "copy": (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EXDEV),
    "map": (errno.ENOMEM, errno.ENFILE),
}
"""What each operation can answer, of the errors that the programme names (threats §3, F1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which operation goes wrong: the `number`th one called `operation`, or of any kind."""

    mode: str = "observe"
    operation: str = "any"
    number: int = 0
    errno: int = 0

    def __str__(self) -> str:
        """Name the plan in a failed assertion."""
        code = f" {errno.errorcode[self.errno]}" if self.errno else ""
        return f"{self.mode} {self.operation} #{self.number}{code}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What one run did; `exit_code` is negative for a signal."""

    plan: Plan
    exit_code: int
    hits: int
    operations: tuple[str, ...]
    peak_bytes: int
    stdout: str
    stderr: str

    def explain(self) -> str:
        """Everything a failed assertion should show."""
        tail = " ".join(self.operations[-8:])
        return f"{self.plan} ended with {self.exit_code} (… {tail})\n{self.stderr[-1500:]}"


@functools.cache
def why_not() -> str | None:
    """Say why no faults can be made on this machine."""
    if sys.platform != "linux":
        return "the faults are made for Linux's C library"
    if shutil.which("cc") is None:
        return "there is no C compiler (`cc`)"
    try:
        _library()
    except subprocess.CalledProcessError as error:
        return f"the C compiler says: {error.stderr[-200:]}"
    return None


@functools.cache
def _library() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="disk-faults-"))
    library = folder / "disk_faults.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library)]
    source = _SUPPORT / "disk_faults.c"
    subprocess.run([*command, str(source), "-ldl"], check=True, capture_output=True, text=True)
    return library


class FaultyHost:
    """A process that runs `lpack` in forks of itself; use it as a context manager."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start nothing yet; `environment` is that of the runs."""
        self._environment = dict(environment)
        self._process: subprocess.Popen[str] | None = None
        self._scratch = Path()

    def __enter__(self) -> Self:
        """Start the process."""
        library = _library()
        self._scratch = Path(tempfile.mkdtemp(prefix="faulty-"))
        self._process = subprocess.Popen(
            [sys.executable, str(_SUPPORT / "disk_fault_host.py"), str(library)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**self._environment, "LD_PRELOAD": str(library)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()
        shutil.rmtree(self._scratch)

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        watched: Sequence[Path] = (),
        plan: Plan | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: float = 600.0,
    ) -> Ran:
        """Run `lpack arguments` in `folder`; only operations below `watched` count.

        Raises TimeoutError when there is no answer after `seconds`.
        """
        chosen = plan or Plan()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        job: dict[str, Any] = {
            "arguments": list(arguments),
            "folder": str(folder),
            "environment": self._environment | dict(environment or {}),
            "watched": [str(path) for path in watched],
            "stdout": str(self._scratch / "stdout"),
            "stderr": str(self._scratch / "stderr"),
            "plan": {
                "mode": chosen.mode,
                "operation": chosen.operation,
                "number": chosen.number,
                "errno": chosen.errno,
            },
        }
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], seconds)[0]:
            raise TimeoutError(f"{arguments} was blocked for {seconds} s")
        answer = json.loads(process.stdout.readline())
        return Ran(
            plan=chosen,
            exit_code=answer["exit_code"],
            hits=answer["hits"],
            operations=tuple(answer["operations"]),
            peak_bytes=answer["peak_bytes"],
            stdout=(self._scratch / "stdout").read_text(encoding="utf-8"),
            stderr=(self._scratch / "stderr").read_text(encoding="utf-8"),
        )


def fast_folder() -> Path | None:
    """A folder in memory, where there is one: thousands of runs would wear out a disk."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None
