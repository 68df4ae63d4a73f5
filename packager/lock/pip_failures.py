"""Reading what `pip install --dry-run` says when it finds no solution."""

import re
from collections.abc import Callable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from packager.errors import CannotBuild
from packager.lock import conflicts
from packager.lock.backend import LockJob
from packager.lock.existing_files import Existing
from packager.model.redaction import redact_text

_CAUSED = "The conflict is caused by:"
_CAUSE = re.compile(r"depends on|The user requested")
_NONE = re.compile(
    r"Could not find a version that satisfies the requirement (?P<what>.+?)"
    r"(?: \(from (?!versions).*?\))? \(from versions: (?P<versions>[^)]*)\)"
)


def explain_pip(
    text: str, job: LockJob, *, existing: Callable[[Requirement], Existing]
) -> CannotBuild:
    """Word pip's failure; `existing` asks what an index has of a requirement."""
    clean = redact_text(text)
    lines = [line.strip() for line in clean.splitlines() if line.strip()]
    if _CAUSED in clean:
        start = next(number for number, line in enumerate(lines) if _CAUSED in line)
        return conflicts.contradiction([x for x in lines[start + 1 :] if _CAUSE.search(x)], job)
    error = conflicts.unreachable_or_denied(clean)
    if error is not None:
        return error
    found = _NONE.search(clean)
    if found is not None:
        return _nothing_found(_requirement(found["what"]), found["versions"], job, existing)
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")]
    return CannotBuild("pip could not resolve the requirements", details=errors or lines[-8:])


def _nothing_found(
    wanted: Requirement, versions: str, job: LockJob, existing: Callable[[Requirement], Existing]
) -> CannotBuild:
    """Find out whether a project, a version or a fitting file is missing: pip says the same."""
    name = canonicalize_name(wanted.name)
    found = existing(wanted)
    if found.filenames:
        return conflicts.missing_wheel(name, found.version, found.filenames, job)
    if versions not in {"", "none"}:
        return conflicts.no_version(name, [f"versions with a wheel for it: {versions}"], job)
    if found.python is not None:
        return conflicts.other_python(f"{name}=={found.version}", found.python, job)
    error = conflicts.unreachable_or_denied(found.log)
    if error is not None:
        return error
    if job.offline:
        return CannotBuild(
            f"`{wanted}` is in no folder of this machine, and --offline forbids the network",
            hint="run once without --offline, or name a folder of wheels as an index",
        )
    return conflicts.unknown_project(name, job)


def _requirement(what: str) -> Requirement:
    try:
        return Requirement(what)
    except InvalidRequirement:
        return Requirement(re.split(r"[^\w.-]", what, maxsplit=1)[0])
