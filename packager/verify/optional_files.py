"""Files that their distribution works without, as data with reasons."""

from fnmatch import fnmatchcase

from packager.verify.rule_data import load_rules


def optional_reason(path: str) -> str | None:
    """Return why the distribution works without the file at `path`; None when it needs it."""
    for row in load_rules("optional-files")["optional"]:
        if any(fnmatchcase(path, pattern) for pattern in row["paths"]):
            reason: str = row["reason"]
            return reason
    return None
