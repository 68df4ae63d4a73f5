"""A GitLab code quality report of verdicts. Pure.

Source: GitLab documentation, "Code Quality", section on the format of a custom tool's report.
"""

import hashlib
import json
from collections.abc import Sequence

from packager.model.finding_code import Level
from packager.model.verdict import GateFinding, Verdict

_SEVERITIES: dict[Level, str] = {"error": "blocker", "warning": "minor", "note": "info"}


def render_code_quality(verdicts: Sequence[Verdict], *, prefix: str = "") -> str:
    """Return the JSON text; every finding has a place, pyproject.toml when none is known.

    `prefix` is the way from the root of the repository to the folder that files are seen from.
    """
    rows = [
        {
            "description": f"{verdict.function}: {verdict.artifact} {finding.message}",
            "check_name": f"lpack/{finding.code}-{finding.name}",
            "fingerprint": fingerprint(verdict.function, finding),
            "severity": _SEVERITIES[finding.level],
            "location": {
                "path": f"{prefix}{finding.spot.file if finding.spot else 'pyproject.toml'}",
                "lines": {"begin": finding.spot.line if finding.spot else 1},
            },
            "categories": ["Performance"],
            "content": {"body": "\n".join([*finding.details, finding.hint or ""]).strip()},
        }
        for verdict in verdicts
        for finding in verdict.findings
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def fingerprint(function: str, finding: GateFinding) -> str:
    """Return what stays the same while the figures of a finding change, as 64 hex digits."""
    parts = (function, finding.code, finding.subject)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
