"""What is wrong with an artifact of other tools, as findings of a check.

What lpack built was held against its target while it was built; of an artifact that others made,
`lpack check` says what `lpack report` does, as far as it keeps the artifact from working.
"""

from collections.abc import Iterator
from pathlib import Path

from packager.inspect.codes import load_codes
from packager.model.verdict import GateFinding
from packager.pipeline.report import ReportOptions, report_artifact


def foreign_findings(path: Path) -> Iterator[GateFinding]:
    """Yield the errors and warnings about the artifact at `path`; what could leave is no fault.

    Raises UsageError for what is no artifact.
    """
    names = {code.code: code.name for code in load_codes()}
    for finding in report_artifact(path, options=ReportOptions())["findings"]:
        if finding["level"] != "note":
            yield GateFinding(
                code=finding["code"],
                name=names[finding["code"]],
                level=finding["level"],
                message=finding["message"],
                subject=finding["path"] or finding["owner"],
                hint=finding["hint"],
                details=tuple(finding["details"]),
            )
