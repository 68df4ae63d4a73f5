"""Libraries that neither a bundle nor its runtime has, in few sentences. Pure.

One distribution often lacks a dozen libraries of one kind (all of X11); a user needs to hear of
it once, with all the names.
"""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from packager.model.finding import Finding
from packager.model.finding_code import Level
from packager.model.target import Target
from packager.verify.closure import Unresolved
from packager.verify.optional_files import optional_reason
from packager.verify.rule_data import load_rules

_MOST_NAMES = 8


def missing_libraries(faults: Sequence[Unresolved], target: Target) -> Iterator[Finding]:
    """Yield one finding for the files of each distribution that lack libraries."""
    groups: dict[tuple[Level, str, str], list[Unresolved]] = {}
    for fault in faults:
        path = fault.needing.path
        reason = optional_reason(path)
        known = _known_hint(path, fault.soname)
        # `numpy` and `numpy.libs` are of one distribution; what shares a hint belongs together.
        top = known or path.partition("/")[0].removesuffix(".libs")
        level: Level = "warning" if fault.needing.is_program else "error"
        key = (level, top, known) if reason is None else ("note", reason, "")
        groups.setdefault(key, []).append(fault)
    for (level, key_text, hint), group in groups.items():
        yield _finding(group, target, level=level, text=key_text, hint=hint)


def _finding(
    group: Sequence[Unresolved], target: Target, *, level: Level, text: str, hint: str
) -> Finding:
    paths = list(dict.fromkeys(fault.needing.path for fault in group))
    sonames = sorted({fault.soname for fault in group})
    shown = ", ".join(f"`{soname}`" for soname in sonames[:_MOST_NAMES])
    if len(sonames) > _MOST_NAMES:
        shown += f" and {len(sonames) - _MOST_NAMES} others"
    more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    message = f"`{paths[0]}`{more} needs {shown}, which neither the bundle nor {target.label} has"
    if level == "note":
        message = f"{message}; {text}"
    put = f"take a wheel that brings it along, or put `{sonames[0]}` into a folder `lib` at the "
    return Finding(
        code="missing-library",
        level=level,
        path=paths[0],
        message=message,
        hint=None if level == "note" else hint or f"{put}top of your code",
        details=tuple(f"{fault.needing.path} needs {fault.soname}" for fault in group),
    )


def _known_hint(path: str, soname: str) -> str:
    for row in load_rules("missing-libraries")["missing"]:
        if fnmatchcase(path, row["needing"]) and fnmatchcase(soname, row["soname"]):
            hint: str = row["hint"]
            return hint
    return ""
