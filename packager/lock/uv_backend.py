"""Locking through `uv pip compile`, which resolves for foreign platforms by itself."""

import os
import sys
from pathlib import Path

from packaging.pylock import Pylock

from packager.errors import CannotBuild
from packager.lock.backend import LockJob
from packager.lock.build_environment import for_installers
from packager.lock.existing_files import existing_files
from packager.lock.indexes import strategy_of, uv_variables
from packager.lock.lockfile import parse_lock
from packager.lock.processes import Finished, run
from packager.lock.resolver_input import python_version, write_input
from packager.lock.uv_failures import explain_uv, lacks_wheel
from packager.model.progress import Reporter
from packager.model.target import Target

_GLIBC_KNOWN_TO_UV = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))


class UvBackend:
    """The `uv` executable at `executable`."""

    def __init__(self, executable: str) -> None:
        """Remember where uv is; nothing is run yet."""
        self._executable = executable

    def describe(self) -> str:
        """Name uv and its version."""
        words = run([self._executable, "--version"], cwd=Path.cwd()).stdout.split()
        return f"uv {words[1]}" if len(words) > 1 else "uv"

    def lock(self, job: LockJob, reporter: Reporter) -> Pylock:
        """Resolve `job` with wheels only, then with the allowed source distributions.

        uv cannot be told Amazon Linux 2's glibc 2.26. It resolves for 2.17, which is stricter,
        and where that has no solution pip is asked, which takes the exact tags.
        """
        done = self._compile(job, sdists=False)
        if done.returncode == 0:
            return _read(done)
        if not exact(job.target) and lacks_wheel(done.stderr):
            fallback = _with_pip(job, reporter)
            if fallback is not None:
                return fallback
        if job.allow_sdist:
            with_sdists = self._compile(job, sdists=True)
            if with_sdists.returncode == 0:
                return _read(with_sdists)
            done = with_sdists
        raise explain_uv(done.stderr, job, existing=lambda wanted: existing_files(wanted, job))

    def _compile(self, job: LockJob, *, sdists: bool) -> Finished:
        files = write_input(job)
        arguments = [
            *self._command(job),
            "--python-platform",
            platform_of(job.target),
            "--constraints",
            files.constraints.name,
        ]
        if sdists:
            # With everything restricted to wheels, naming a distribution here lets it, and no
            # other, come as a source distribution.
            for name in sorted(job.allow_sdist):
                arguments += ["--no-binary", name]
        arguments.append(files.requirements.name)
        base = for_installers() if sdists else None
        return run(arguments, cwd=job.workdir, environment=uv_variables(job.indexes), base=base)

    def _command(self, job: LockJob) -> list[str]:
        command = [
            self._executable,
            "pip",
            "compile",
            "--format",
            "pylock.toml",
            "--python-version",
            python_version(job.target),
            "--only-binary",
            ":all:",
            "--no-header",
            "--no-progress",
            "--color",
            "never",
            # Without these, uv looks for an interpreter of the target's version, and fetches one.
            "--python",
            sys.executable,
            "--no-python-downloads",
            *_configuration(),
            "--index-strategy",
            strategy_of(job.indexes),
        ]
        if job.indexes.no_index:
            command.append("--no-index")
        if job.requirements.prereleases:
            command += ["--prerelease", "allow"]
        if job.offline:
            command.append("--offline")
        if job.exclude_newer:
            command += ["--exclude-newer", job.exclude_newer]
        return command


def platform_of(target: Target) -> str:
    """Give uv's word for the target: the newest glibc it knows that the target satisfies."""
    glibc = max(known for known in _GLIBC_KNOWN_TO_UV if known <= target.glibc)
    return f"{target.machine}-manylinux_{glibc[0]}_{glibc[1]}"


def exact(target: Target) -> bool:
    """Tell whether uv can be told the target's glibc exactly."""
    return target.glibc in _GLIBC_KNOWN_TO_UV


def _configuration() -> list[str]:
    """Take the user's own uv.toml, and no file that lies above the temporary folder."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    for candidate in (Path(home) / "uv" / "uv.toml", Path("/etc/uv/uv.toml")):
        if candidate.is_file():
            return ["--config-file", str(candidate)]
    return ["--no-config"]


def _read(done: Finished) -> Pylock:
    return parse_lock(done.stdout, origin="the lock that uv wrote")


def _with_pip(job: LockJob, reporter: Reporter) -> Pylock | None:
    from packager.lock.pip_backend import PipBackend  # noqa: PLC0415 -- loaded only in need

    glibc = ".".join(str(part) for part in job.target.glibc)
    try:
        pylock = PipBackend().lock(job, reporter)
    except CannotBuild:
        return None
    reporter.step(f"resolved with pip: uv has no solution below glibc {glibc}")
    return pylock
