"""The requirement and constraint files that both resolvers read, written from the values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from packager.lock.backend import LockJob
from packager.model.requirement import Declared
from packager.model.target import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolverInput:
    """Where the two files are."""

    requirements: Path
    constraints: Path


def write_input(
    job: LockJob, *, options: Sequence[str] = (), lines: Sequence[str] | None = None
) -> ResolverInput:
    """Write the files of `job` into its workdir.

    `options` are put on top; `lines` replace what is declared and the local projects.
    """
    requirements = job.workdir / "requirements.in"
    constraints = job.workdir / "constraints.txt"
    if lines is None:
        lines = [*_local_lines(job), *_lines(_foreign(job.requirements.declared, job))]
    requirements.write_text("\n".join([*options, *lines]) + "\n", encoding="utf-8")
    narrowing = _foreign(job.requirements.constraints, job)
    constraints.write_text("\n".join(_lines(narrowing)) + "\n", encoding="utf-8")
    return ResolverInput(requirements=requirements, constraints=constraints)


def python_version(target: Target) -> str:
    """Give the version to resolve for: the full one of the marker environment, else `3.13`."""
    short = ".".join(str(part) for part in target.python)
    full = target.marker_environment.get("python_full_version", "")
    return full if full.startswith(f"{short}.") else short


def _local_lines(job: LockJob) -> list[str]:
    """Give the user's own projects as direct references to the wheels built from them."""
    lines = []
    for name, wheel in sorted(job.local.items()):
        extras = ",".join(job.local_extras.get(name, ()))
        if wheel.path is None:
            raise ValueError(f"the wheel of the local project {name} has no path")
        lines.append(f"{name}{f'[{extras}]' if extras else ''} @ {wheel.path.as_uri()}")
    return lines


def _foreign(declared: Iterable[Declared], job: LockJob) -> list[Declared]:
    """Leave out what a local project satisfies: two sources for one name cannot be resolved."""
    return [item for item in declared if canonicalize_name(item.requirement.name) not in job.local]


def _lines(declared: Iterable[Declared]) -> list[str]:
    return [str(item.requirement) for item in declared]
