"""What a resolver says when it fails, told again with the project's own names and places."""

import re
from collections.abc import Callable, Iterable, Sequence

from packaging.utils import canonicalize_name

from packager.errors import CannotBuild
from packager.lock.backend import LockJob
from packager.lock.missing_wheels import no_wheel
from packager.model.redaction import redact_text

_NO_WHEEL = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?P<version>[=<>!~]=?[^\s]*)? has no (?:usable )?wheels"
)
_NOT_FOUND = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*) was not found in the package registry")
_NO_VERSION = re.compile(r"there (?:is|are) no versions? of (?P<name>[A-Za-z0-9][\w.-]*)")
_UNREACHABLE = (
    "client error (Connect)",
    "dns error",
    "Connection refused",
    "NewConnectionError",
    "NameResolutionError",
    "Failed to establish a new connection",
    "Network is unreachable",
    "operation timed out",
    "Could not fetch URL",
)
_HOST = re.compile(r"https?://(?:[^\s/@]*@)?(?P<host>[^\s/)'\"]+)|host='(?P<pip>[^']+)'")
_DENIED = re.compile(r"\b(?P<code>401|403)\b|Unauthorized|Forbidden")
_PIP_CAUSED = "The conflict is caused by:"
_PIP_NONE = re.compile(
    r"No matching distribution found for (?P<what>[^\n(]+)|"
    r"Could not find a version that satisfies the requirement (?P<other>[^\n(]+)"
)
_LINE = 160


def explain_uv(
    text: str, job: LockJob, *, other_files: Callable[[str], Sequence[str]]
) -> CannotBuild:
    """Word uv's failure; `other_files` names the files of a requirement's newest version."""
    body = _after_error(text)
    flat = " ".join(body.split())
    if job.offline and "network was disabled" in flat:
        return CannotBuild(
            "resolving needs files that are not in uv's cache, and --offline forbids the network",
            hint="run once without --offline",
        )
    if (error := _network(body)) is not None:
        return error
    chain = _sentences(body)
    if match := _NO_WHEEL.search(flat):
        name, pin = canonicalize_name(match["name"]), match["version"] or ""
        error = no_wheel(
            name,
            job.target,
            version=pin.removeprefix("==") if pin.startswith("==") else None,
            filenames=other_files(f"{name}{pin}"),
        )
        return _with_lines(error, [*error.details, *_origins([name], job)])
    if match := _NOT_FOUND.search(flat):
        return _unknown_project(match["name"], job)
    if (match := _NO_VERSION.search(flat)) and flat.count("Because") == 1:
        return _no_version(match["name"], chain, job)
    if "Because" in flat:
        return _conflict(chain, flat, job)
    return CannotBuild("uv could not resolve the requirements", details=_shortened(chain))


def explain_pip(text: str, job: LockJob) -> CannotBuild:
    """Word pip's failure."""
    clean = redact_text(text)
    lines = [line.strip() for line in clean.splitlines() if line.strip()]
    if _PIP_CAUSED in clean:
        start = next(i for i, line in enumerate(lines) if _PIP_CAUSED in line)
        caused = [line for line in lines[start + 1 :] if _is_cause(line)]
        return _conflict(caused, " ".join(caused), job)
    if (error := _network(clean)) is not None:
        return error
    if match := _PIP_NONE.search(clean):
        return _pip_none((match["what"] or match["other"]).strip(), lines, job)
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")]
    return CannotBuild(
        "pip could not resolve the requirements", details=_shortened(errors or lines)
    )


def _is_cause(line: str) -> bool:
    return bool(re.search(r"depends on|The user requested", line))


def _pip_none(what: str, lines: Sequence[str], job: LockJob) -> CannotBuild:
    """Word what pip says alike, whether a project, a version or a fitting wheel is missing."""
    name = canonicalize_name(re.split(r"[^\w.-]", what, maxsplit=1)[0])
    offered = next((line for line in lines if "from versions:" in line), "")
    versions = offered.partition("from versions:")[2].strip(" )")
    details = [f"versions with a wheel for it: {versions}"] if versions not in {"", "none"} else []
    error = CannotBuild(
        f"no wheel of `{what}` fits `{job.target.label}`",
        details=[*details, *_origins([name], job)],
        hint=(
            f"check the name, loosen the pin, or build it from source with "
            f'allow-sdist = ["{name}"] under [tool.lpack]'
        ),
    )
    return error


def _conflict(chain: Sequence[str], flat: str, job: LockJob) -> CannotBuild:
    named = [item for item in _declared_names(job) if _mentions(flat, item)]
    subject = _most_disputed(flat, named)
    return CannotBuild(
        f"the requirements on `{subject}` contradict each other"
        if subject
        else "the requirements contradict each other",
        details=[*_shortened(chain), *_origins(named, job)],
        hint="loosen one of the requirements named above",
    )


def _most_disputed(flat: str, declared: Sequence[str]) -> str | None:
    """Name the project on which most of the sentences put a bound: the one that cannot be chosen."""
    bounds = re.findall(r"\b([A-Za-z0-9][\w.-]*?)(?:\[[^\]]*\])?\s?(?:[<>!~=]=?)", flat)
    counts: dict[str, int] = {}
    for name in (canonicalize_name(found) for found in bounds):
        counts[name] = counts.get(name, 0) + 1
    if not counts:
        return declared[0] if declared else None
    return max(sorted(counts), key=lambda name: counts[name])


def _network(text: str) -> CannotBuild | None:
    host_match = _HOST.search(text)
    host = (host_match["host"] or host_match["pip"]) if host_match else "the package index"
    flat = " ".join(text.split())
    if any(sign in flat for sign in _UNREACHABLE):
        return CannotBuild(
            f"cannot reach the package index `{host}`",
            hint="check the network and the index URL, or use --offline with what is cached",
        )
    if ("HTTP" in flat or "Client Error" in flat or "credentials" in flat) and (
        match := _DENIED.search(flat)
    ):
        return CannotBuild(
            f"the package index `{host}` refuses access ({match['code'] or match[0]})",
            hint="put the credentials into the index URL or into ~/.netrc",
        )
    return None


def _unknown_project(name: str, job: LockJob) -> CannotBuild:
    return CannotBuild(
        f"no package index has a project `{name}`",
        details=_origins([canonicalize_name(name)], job),
        hint="check the spelling and the index URL",
    )


def _no_version(name: str, chain: Sequence[str], job: LockJob) -> CannotBuild:
    return CannotBuild(
        f"no version of `{name}` satisfies what is asked for",
        details=[*_shortened(chain), *_origins([canonicalize_name(name)], job)],
        hint="loosen the requirement, or check the index",
    )


def _after_error(text: str) -> str:
    """Leave out the warnings that come before the error."""
    return text[text.find("error:") :] if "error:" in text else text


def _sentences(body: str) -> list[str]:
    """Split uv's explanation into its sentences, without labels and uv's own hints."""
    lines = []
    for line in body.partition("\nhint:")[0].splitlines():
        text = re.sub(r"^(error|cause|caused by):\s*|^[×╰─▶ ]+", "", line.strip())
        if text and not text.startswith("No solution found"):
            lines.append(text)
    return re.split(r"(?<=[.])\s+(?=Because|And|So)", " ".join(lines)) if lines else []


def _declared_names(job: LockJob) -> list[str]:
    return sorted({item.name for item in job.requirements.declared})


def _mentions(flat: str, name: str) -> bool:
    pattern = re.escape(name).replace(r"\-", "[-_.]")
    return re.search(rf"(?<![\w.-]){pattern}(?![\w-])", flat, re.IGNORECASE) is not None


def _origins(names: Iterable[str], job: LockJob) -> list[str]:
    """Say where the declared ones of `names` are written."""
    wanted = set(names)
    return [
        f"{item.origin}: {item.requirement}"
        for item in (*job.requirements.declared, *job.requirements.constraints)
        if item.name in wanted
    ]


def _shortened(lines: Sequence[str]) -> list[str]:
    return [line if len(line) <= _LINE else f"{line[: _LINE - 1]}…" for line in lines]


def _with_lines(error: CannotBuild, details: Sequence[str]) -> CannotBuild:
    return CannotBuild(error.message, hint=error.hint, details=details)
