"""The errors that both resolvers' failures become, with the project's own names and places."""

import re
from collections.abc import Iterable, Sequence

from packaging.utils import canonicalize_name

from packager.errors import CannotBuild
from packager.lock.backend import LockJob
from packager.lock.missing_wheels import no_wheel

_UNREACHABLE = (
    "client error (Connect)",
    "dns error",
    "Connection refused",
    "Failed to establish a new connection",
    "NameResolutionError",
    "Network is unreachable",
    "operation timed out",
    "Read timed out",
    "ConnectTimeoutError",
)
_HOST = re.compile(
    r"https?://(?:[^\s/@]*@)?(?P<host>[^\s/)'\"]+)|host='(?P<name>[^']+)', port=(?P<port>\d+)"
)
_DENIED = re.compile(r"\b(?P<code>401|403)\b (?:Client Error|Unauthorized|Forbidden)")
_BOUND = re.compile(r"\b([A-Za-z0-9][\w.-]*?)(?:\[[^\]]*\])?\s?[<>!~=]=?")
_SHOWN = 20


def contradiction(chain: Sequence[str], job: LockJob) -> CannotBuild:
    """Word that no set of versions satisfies everything; `chain` is the resolver's reasoning."""
    flat = " ".join(chain)
    named = sorted({item.name for item in job.requirements.declared if _mentions(flat, item.name)})
    subject = _most_disputed(chain)
    return CannotBuild(
        f"the requirements on `{subject}` contradict each other"
        if subject
        else "the requirements contradict each other",
        details=[*chain[:_SHOWN], *origins(named, job)],
        hint="loosen one of the requirements named above",
    )


def unreachable_or_denied(text: str) -> CannotBuild | None:
    """Tell whether the network, or the index's door, is what failed."""
    flat = " ".join(text.split())
    host = _host(flat)
    if any(sign in flat for sign in _UNREACHABLE):
        return CannotBuild(
            f"cannot reach the package index `{host}`",
            hint="check the network and the index URL, or use --offline with what is cached",
        )
    denied = _DENIED.search(flat)
    if denied is not None:
        return CannotBuild(
            f"the package index `{host}` refuses access ({denied['code']})",
            hint="put the credentials into the index URL or into ~/.netrc",
        )
    return None


def unknown_project(name: str, job: LockJob) -> CannotBuild:
    """Word that no index has a project of this name."""
    return CannotBuild(
        f"no package index has a project `{name}`",
        details=origins([name], job),
        hint="check the spelling and the index URL; a project in quarantine has no files either",
    )


def no_files(name: str, details: Sequence[str], job: LockJob) -> CannotBuild:
    """Word that a project exists and offers nothing, as one in quarantine does (PEP 792)."""
    if job.exclude_newer:
        hint = "a later `exclude-newer` hides fewer files, if it is not in quarantine"
    else:
        hint = f"if the index has quarantined it, do without it: look at the page of `{name}` there"
    return CannotBuild(
        f"`{name}` has no files on the package index",
        details=[*details, *origins([name], job)],
        hint=hint,
    )


def no_version(name: str, details: Sequence[str], job: LockJob) -> CannotBuild:
    """Word that a project exists and none of its versions is accepted."""
    return CannotBuild(
        f"no version of `{name}` satisfies what is asked for",
        details=[*details, *origins([name], job)],
        hint="loosen the requirement, or check the index",
    )


def other_python(title: str, wanted: str, job: LockJob) -> CannotBuild:
    """Word that a distribution does not run on the target's Python."""
    name = canonicalize_name(title.partition("==")[0])
    return CannotBuild(
        f"`{title}` requires Python {wanted}, which `{job.target.label}` is not",
        details=origins([name], job),
        hint=f"choose another runtime, or ask for an older version of `{name}`",
    )


def missing_wheel(
    name: str, version: str | None, filenames: Sequence[str], job: LockJob
) -> CannotBuild:
    """Word that files exist and none of them is a wheel for the target."""
    error = no_wheel(name, job.target, version=version, filenames=filenames)
    details = [*error.details, *origins([name], job)]
    return CannotBuild(error.message, hint=error.hint, details=details)


def origins(names: Iterable[str], job: LockJob) -> list[str]:
    """Say where the declared ones of `names` are written."""
    wanted = {canonicalize_name(name) for name in names}
    return [
        f"{item.origin}: {item.requirement}"
        for item in (*job.requirements.declared, *job.requirements.constraints)
        if item.name in wanted
    ]


def _host(flat: str) -> str:
    found = _HOST.search(flat)
    if found is None:
        return "the package index"
    return found["host"] or f"{found['name']}:{found['port']}"


def _mentions(flat: str, name: str) -> bool:
    pattern = re.escape(name).replace(r"\-", "[-_.]")
    return re.search(rf"(?<![\w.-]){pattern}(?![\w-])", flat, re.IGNORECASE) is not None


def _most_disputed(chain: Sequence[str]) -> str | None:
    """Name the project on which the reasoning puts most of its different bounds."""
    bounds: dict[str, set[str]] = {}
    for line in chain:
        for found in _BOUND.finditer(line):
            rest = line[found.end(1) :].split(maxsplit=1)[0]
            bounds.setdefault(canonicalize_name(found[1]), set()).add(rest)
    return max(sorted(bounds), key=lambda name: len(bounds[name])) if bounds else None
