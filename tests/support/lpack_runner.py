"""Runs the real command in a process of its own, away from the machine's settings."""

import importlib.metadata
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.fixture_wheels import CHECKOUT

_KEPT = (
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
)
"""What a process may inherit: where certificates and scratch space are, and nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """What one run of the command did."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float

    def explain(self) -> str:
        """Everything a failed assertion should show."""
        return (
            f"lpack {' '.join(self.argv)} ended with {self.exit_code} after {self.seconds:.1f} s\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LpackRunner:
    """The command with a home of its own; `store` is where its caches lie."""

    home: Path

    @property
    def store(self) -> Path:
        """The folder handed over as `LPACK_CACHE_DIR`."""
        return self.home / "lpack-cache"

    def environment(self, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of the process; `overrides` come last."""
        self.home.mkdir(parents=True, exist_ok=True)
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment |= {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LPACK_CACHE_DIR": str(self.store),
            "NO_COLOR": "1",
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin", "/bin")),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "TZ": "UTC",
            "UV_PYTHON_DOWNLOADS": "never",
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
        }
        if not _is_installed():
            environment["PYTHONPATH"] = str(CHECKOUT)
        return environment | dict(overrides or {})

    def run(
        self,
        *argv: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        umask: int = -1,
        timeout: float = 300,
    ) -> Finished:
        """Run `lpack argv…` in the folder `cwd` with a closed standard input."""
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "packager", *argv],
            cwd=cwd,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            umask=umask,
            timeout=timeout,
        )
        return Finished(
            argv=argv,
            exit_code=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
            seconds=time.monotonic() - began,
        )

    def ok(self, *argv: str, cwd: Path, env: Mapping[str, str] | None = None) -> Finished:
        """Run `lpack argv…` and demand exit code 0."""
        done = self.run(*argv, cwd=cwd, env=env)
        assert done.exit_code == 0, done.explain()
        return done


def _is_installed() -> bool:
    """Tell whether this Python has lpack installed; otherwise the checkout itself is run."""
    try:
        importlib.metadata.distribution("lpack-cli")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
