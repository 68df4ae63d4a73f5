"""Reading what `uv pip compile` says when it finds no solution."""

import re
from collections.abc import Callable, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from packager.errors import CannotBuild
from packager.lock import conflicts
from packager.lock.backend import LockJob
from packager.lock.existing_files import Existing

_NAME = r"(?P<name>[A-Za-z0-9][\w.-]*?)"
_NO_WHEEL = re.compile(rf"\b{_NAME}(?P<bound>[=<>!~][^\s]*)? ha(?:s|ve) no (?:usable )?wheels")
_NOT_FOUND = re.compile(rf"\b{_NAME} was not found in the (?:package registry|provided)")
_NO_VERSION = re.compile(
    rf"there (?:is|are) no versions? of {_NAME}(?=[=<>!~\s])"
    r"|only (?P<other>[\w.-]+?)[=<>]\S* is available"
)
_NO_FILES = re.compile(rf"there are no versions of {_NAME} and you require (?P=name)[ ,.]")
_OTHER_PYTHON = re.compile(rf"\b{_NAME}(?P<version>==[^\s]+)? depends on Python(?P<wanted>\S+)")
_SENTENCE = re.compile(r"(?<=[.])\s+(?=Because|And|So)")


def explain_uv(
    text: str, job: LockJob, *, existing: Callable[[Requirement], Existing]
) -> CannotBuild:
    """Word uv's failure; `existing` asks what an index has of a requirement."""
    body = text[text.find("error:") :] if "error:" in text else text
    sentences = _sentences(body)
    flat = " ".join(sentences)
    if job.offline and "network was disabled" in " ".join(body.split()):
        return CannotBuild(
            "resolving needs files that are not in uv's cache, and --offline forbids the network",
            hint="run once without --offline",
        )
    return (
        conflicts.unreachable_or_denied(body)
        or _missing_wheel(flat, job, existing)
        or _missing_project(flat, sentences, job)
        or _other(flat, sentences, job)
    )


def lacks_wheel(text: str) -> bool:
    """Tell whether uv failed because some distribution has no wheel for the platform."""
    return _NO_WHEEL.search(" ".join(text.split())) is not None


def _missing_wheel(
    flat: str, job: LockJob, existing: Callable[[Requirement], Existing]
) -> CannotBuild | None:
    found = _NO_WHEEL.search(flat)
    if found is None:
        return None
    name, bound = canonicalize_name(found["name"]), found["bound"] or ""
    try:
        wanted = Requirement(f"{name}{bound.rstrip('.,')}")
    except InvalidRequirement:
        wanted = Requirement(name)
    files = existing(wanted)
    version = files.version or (bound.removeprefix("==") if bound.startswith("==") else None)
    return conflicts.missing_wheel(name, version, files.filenames, job)


def _missing_project(flat: str, sentences: Sequence[str], job: LockJob) -> CannotBuild | None:
    found = _NOT_FOUND.search(flat)
    if found is not None:
        return conflicts.unknown_project(found["name"], job)
    found = _NO_FILES.search(flat)
    if found is not None and len(sentences) == 1:
        return conflicts.no_files(found["name"], sentences, job)
    found = _NO_VERSION.search(flat)
    if found is not None and len(sentences) == 1:
        return conflicts.no_version(found["name"] or found["other"], sentences, job)
    found = _OTHER_PYTHON.search(flat)
    if found is not None and "requested Python version" in flat:
        title = f"{found['name']}{found['version'] or ''}"
        return conflicts.other_python(title, found["wanted"].rstrip(",."), job)
    return None


def _other(flat: str, sentences: Sequence[str], job: LockJob) -> CannotBuild:
    if "Because" in flat:
        return conflicts.contradiction(sentences, job)
    return CannotBuild("uv could not resolve the requirements", details=sentences)


def _sentences(body: str) -> list[str]:
    """Split uv's explanation into its sentences, without labels, drawing and uv's own hints."""
    lines = []
    for line in body.partition("\nhint:")[0].splitlines():
        text = re.sub(r"^(?:(?:error|cause|caused by):|[^\w`\"'(\[])\s*", "", line.strip())
        if text and not text.startswith("No solution found"):
            lines.append(text)
    return _SENTENCE.split(" ".join(lines)) if lines else []
