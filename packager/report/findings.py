"""Findings of checks, as text for people and as JSON-ready values. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from packager.model.finding import Finding

_INDENT = "     "


def render_findings(findings: Sequence[Finding], owners: Mapping[str, str]) -> str:
    """Return one line for each finding, with its hint below.

    `owners` says of a path in the archive which distribution it is from (`owners_of`).
    """
    lines = []
    for finding in findings:
        owner = owners.get(finding.path)
        source = f" (from {owner})" if owner else ""
        lines.append(f"{_INDENT}{finding.level}: {finding.message}{source}")
        if finding.hint:
            lines.append(f"{_INDENT}  hint: {finding.hint}")
    return "".join(f"{line}\n" for line in lines)


def finding_rows(findings: Sequence[Finding], owners: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the findings as JSON-ready values, each with its owner where that is known."""
    return [
        {
            "code": finding.code,
            "level": finding.level,
            "path": finding.path,
            "owner": owners.get(finding.path),
            "message": finding.message,
            "hint": finding.hint,
            "details": list(finding.details),
        }
        for finding in findings
    ]


def owners_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return `NAME VERSION` of the distribution each file of the manifest's artifact is from.

    Files of layers are named as they lie in Lambda: `/opt/python/…`.
    """
    return {
        _place(distribution) + row[0]: f"{distribution['name']} {distribution['version']}"
        for distribution in manifest["distributions"]
        for row in distribution["files"]
    }


def _place(distribution: Mapping[str, Any]) -> str:
    return "/opt/" if str(distribution.get("placement")).startswith("layer:") else ""
