"""What to change in a requirement so that the runtime's version satisfies it. Pure."""

from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version


def loosened(requirement: Requirement, version: Version | None) -> Requirement | None:
    """Return the smallest change of `requirement` that admits `version`.

    Parts that hold stay. Lower bounds and pins above `version` come down to it, pins below it
    become lower bounds, upper bounds and exclusions that fail go. None when that cannot help: the
    version is not known, or the requirement names a URL.
    """
    if version is None or requirement.url is not None:
        return None
    parts = [_relaxed(part, version) for part in requirement.specifier]
    result = Requirement(str(requirement))
    # Lower bounds first, as people write them.
    texts = sorted({part for part in parts if part}, key=lambda text: (text[0] != ">", text))
    result.specifier = SpecifierSet(",".join(texts))
    return result if result.specifier.contains(version, prereleases=True) else None


def written(requirement: Requirement) -> str:
    """Return `requirement` as people write it: `boto3>=1.34,<2; python_version < "3.13"`.

    A URL is not shown: it may hold credentials.
    """
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    parts = sorted(map(str, requirement.specifier), key=lambda text: (text[0] != ">", text))
    url = " @ (its own URL)" if requirement.url is not None else ""
    marker = f"; {requirement.marker}" if requirement.marker is not None else ""
    return f"{requirement.name}{extras}{','.join(parts)}{url}{marker}"


def has_upper_bound(requirement: Requirement) -> bool:
    """Tell whether a newer version can fail the requirement."""
    return any(part.operator not in (">", ">=", "!=") for part in requirement.specifier)


def _relaxed(part: Specifier, version: Version) -> str:
    """Return one clause so changed that it admits `version`; empty when it must go."""
    if part.contains(version, prereleases=True):
        return str(part)
    if part.operator in ("<", "<=", "!="):
        return ""
    if part.operator in (">", ">="):
        return f">={version.public}"
    try:
        pinned = Version(part.version.removesuffix(".*"))
    except InvalidVersion:  # `===` takes any text
        return f">={version.public}"
    return f">={min(pinned, version).public}"
